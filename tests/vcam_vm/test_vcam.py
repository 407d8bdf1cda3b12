"""livelight against a real v4l2loopback, in the emulated machine: boots once, runs tests/vcam_vm/guest.py there."""

from __future__ import annotations

import ast
import contextlib
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.vcam_vm.machine import NEEDS, Unavailable, run_in_guest, started

HERE = Path(__file__).parent
CHECKS = [
    node.name
    for node in ast.parse((HERE / "guest.py").read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")
]


@pytest.fixture(scope="module")
def told() -> str:
    """All that the guest printed."""
    missing = [name for name in NEEDS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"the emulated machine needs {', '.join(missing)}: see tests/vcam_vm/README.md")
    subprocess.run([sys.executable, "-c", "import tests.vcam_vm.guest"], check=True)  # compiled here, not there
    try:
        _, said = run_in_guest([sys.executable, "-m", "tests.vcam_vm.guest"])
    except Unavailable as exc:
        pytest.skip(str(exc))
    for figure in re.findall(r"FIGURE (.*)$", said, re.MULTILINE):
        print(figure)
    return said


@pytest.mark.parametrize("check", CHECKS)
def test_in_the_emulated_machine(check: str, told: str) -> None:
    results = re.findall(rf"RESULT {check} (.*)$", told, re.MULTILINE)
    assert results, f"the guest never came to {check}: {told[-2000:]}"
    assert results[0].startswith("ok"), results[0].replace(" | ", "\n")


def test_nothing_that_a_step_started_outlives_it(tmp_path: Path) -> None:
    """As an emulator under ``timeout`` would: a grandchild in a group of its own, deaf to SIGTERM."""
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    said = tmp_path / "said"
    began_s = time.monotonic()
    with started(["bash", "-c", f'timeout 600 "{sys.executable}" -c "{deaf}" & wait'], said) as process:
        while "deaf" not in said.read_text():
            assert time.monotonic() - began_s < 120, "it never began"
            time.sleep(0.02)
        session = process.pid
    while living := _living(session):  # a killed process is there until a core has a moment for it
        assert time.monotonic() - began_s < 240, f"still there: {living}"
        time.sleep(0.02)


def _living(session: int) -> list[str]:
    """States of the processes of a session, those apart that are dead and not yet buried."""
    every = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended meanwhile
            every.append(stat.read_text().rsplit(")", 1)[1].split())
    return [fields[0] for fields in every if int(fields[3]) == session and fields[0] != "Z"]
