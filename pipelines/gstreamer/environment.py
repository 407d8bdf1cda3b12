"""``livelight gstreamer``: what a shell must set so that GStreamer finds the element ``livelightrelight``."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy
import pydantic

from livelight.errors import MissingSystemPackage, OutputError, RuntimeFailure
from livelight.gstreamer_library import DEBIAN, SYSTEM_PACKAGES
from trt_engines.store import default_folder

PACKAGES = f"{DEBIAN} gstreamer1.0-python3-plugin-loader"
"""Debian's names of all that the element needs."""

_PURPOSE = "The GStreamer element livelightrelight"
_START_S = 300.0


def element_environment() -> dict[str, str]:
    """Environment variables to set, found by letting GStreamer load the element.

    GStreamer remembers in a registry file what it found, also what failed; so LiveLight has one of its own. GStreamer's
    Python looks for its binding ``gi`` where the python3 on PATH does; with our virtual environment on PATH that is in
    vain, and the system's binding, alone in a folder, is added. Raises MissingSystemPackage, RuntimeFailure,
    OutputError.
    """
    inspect = shutil.which("gst-inspect-1.0")
    if inspect is None:
        raise MissingSystemPackage(_PURPOSE, PACKAGES, "gst-inspect-1.0 is not found")
    folder = default_folder().parent / "gstreamer"
    plain = _variables(folder)
    with_binding = plain | {"PYTHONPATH": _joined(folder / "binding", os.environ.get("PYTHONPATH", ""))}
    _link_binding(folder / "binding")
    said = ""
    for variables in (plain, with_binding):
        Path(variables["GST_REGISTRY"]).unlink(missing_ok=True)
        done = _run(inspect, variables, "livelightrelight")
        if done.returncode == 0:
            return variables
        if _run(inspect, variables, "python").returncode == 0:
            said = next(
                (line for line in done.stderr.splitlines() if line.startswith("livelight: ")), "no reason given"
            )
    if not said:
        raise MissingSystemPackage(_PURPOSE, PACKAGES, "GStreamer's loader of Python plugins does not start")
    raise RuntimeFailure(
        f"GStreamer cannot load the element livelightrelight ({said}); its Python is the system's: install LiveLight "
        "in a virtual environment made by /usr/bin/python3."
    )


def _variables(folder: Path) -> dict[str, str]:
    packages = dict.fromkeys(str(Path(m.__file__ or "").parents[1]) for m in (pydantic, numpy))
    return {
        "GST_PLUGIN_PATH": _joined(Path(__file__).parent, os.environ.get("GST_PLUGIN_PATH", "")),
        "GST_REGISTRY": str(folder / "registry.bin"),
        "LIVELIGHT_PYTHONPATH": os.pathsep.join(packages),
    }


def _joined(first: Path, others: str) -> str:
    return os.pathsep.join(dict.fromkeys([str(first), *filter(None, others.split(os.pathsep))]))


def _link_binding(folder: Path) -> None:
    """A folder that holds the system's ``gi`` and nothing else."""
    link = folder / "gi"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):  # another process was faster
                link.symlink_to(SYSTEM_PACKAGES / "gi")
    except OSError as exc:
        raise OutputError(
            f"{folder} cannot be written ({exc.strerror}); set LIVELIGHT_CACHE to another folder."
        ) from exc


def _run(inspect: str, variables: dict[str, str], what: str) -> subprocess.CompletedProcess[str]:
    surroundings = os.environ | variables
    try:
        return subprocess.run(
            [inspect, what], env=surroundings, capture_output=True, text=True, timeout=_START_S, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise RuntimeFailure(f"gst-inspect-1.0 did not answer within {_START_S:.0f} s; try it by hand.") from exc


def gstreamer_command() -> None:
    """Check, and print the lines that a shell can evaluate."""
    for name, value in element_environment().items():
        print(f"export {name}={shlex.quote(value)}")
