"""GStreamer's Python binding, wherever it is: in our environment, or in the system's Python of the same version."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import platform
import sys
from pathlib import Path
from typing import Any

from livelight.errors import LiveLightError, MissingSystemPackage

SYSTEM_PACKAGES = Path("/usr/lib/python3/dist-packages")
"""Where Debian and its kin keep the packages of their own Python."""

DEBIAN = (
    "gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gir1.2-gst-plugins-base-1.0 python3-gst-1.0"
)


def load_gst() -> Any:
    """The module gi.repository.Gst, initialised, with GstApp loaded. Raises MissingSystemPackage.

    PyGObject from PyPI must be compiled, and Debian's lies outside of virtual environments; so if ours has none,
    Debian's is taken from where it lies. That works as long as both Pythons have the same minor version.
    """
    _keep_exceptions_whole()
    try:
        gi = _load_gi()
        gi.require_version("Gst", "1.0")
        gi.require_version("GstApp", "1.0")
        gst = importlib.import_module("gi.repository.Gst")
        importlib.import_module("gi.repository.GstApp")  # gives appsrc and appsink their methods
    except (ImportError, ValueError) as exc:
        raise MissingSystemPackage(
            "A GStreamer pipeline", DEBIAN, f"for Python {platform.python_version()}: {exc}"
        ) from exc
    gst.init(None)
    return gst


def _keep_exceptions_whole() -> None:
    """Load GCC's unwinder before GStreamer brings in libunwind.

    Both define the same functions, the first in the process is used by all, and libunwind's abort the process when a
    C++ exception is thrown, as MediaPipe's import does.
    """
    with contextlib.suppress(OSError):  # not on Linux: no such library, and no such clash
        ctypes.CDLL("libgcc_s.so.1", ctypes.RTLD_GLOBAL)


def _load_gi() -> Any:
    try:
        return importlib.import_module("gi")
    except ImportError:
        sys.path.append(str(SYSTEM_PACKAGES))
        try:
            return importlib.import_module("gi")
        finally:
            sys.path.remove(str(SYSTEM_PACKAGES))


def parsed_pipeline(gst: Any, description: str, error: type[LiveLightError]) -> Any:
    """A Gst.Pipeline from gst-launch's language. Raises ``error`` with GStreamer's words for what it does not know."""
    glib = importlib.import_module("gi.repository.GLib")
    try:
        made = gst.parse_launch(description)
    except glib.Error as exc:
        raise error(
            f"The GStreamer pipeline '{description}' cannot be built ({exc.message}); try it with gst-launch-1.0."
        ) from exc
    return made


def fault_on(gst: Any, bus: Any, timeout_s: float = 0.0) -> str | None:
    """GStreamer's sentence for the first error on ``bus`` within so many seconds, None if there is none."""
    message = bus.timed_pop_filtered(round(timeout_s * gst.SECOND), gst.MessageType.ERROR)
    if message is None:
        return None
    error, _ = message.parse_error()
    return f"{message.src.get_name()}: {error.message.rstrip('.')}"


def row_bytes(width: int) -> int:
    """Bytes from one row of RGB to the next, as GStreamer lays pictures out: rows begin at multiples of 4."""
    return (3 * width + 3) // 4 * 4
