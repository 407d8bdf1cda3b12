"""livelight against a real v4l2loopback, in the emulated machine: boots once, runs tests/vcam_vm/guest.py there."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NEEDS = ("qemu-system-x86_64", "busybox", "cpio", "make", "gcc", "v4l2-ctl", "apt-get", "dpkg")
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
    command = [HERE / "vcam_vm", sys.executable, "-m", "tests.vcam_vm.guest"]
    settings = os.environ | {"VCAM_VM_TIMEOUT_S": "300", "PYTHONPATH": str(HERE.parent.parent)}
    with subprocess.Popen(
        command,
        cwd=HERE.parent.parent,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as machine:
        try:
            out, err = machine.communicate(timeout=480)
        except subprocess.TimeoutExpired:
            os.killpg(machine.pid, signal.SIGKILL)
            pytest.skip("the emulated machine was not done in eight minutes")
    if "apt-get download" in err or "Unable to fetch" in err or "Unable to locate" in err:
        pytest.skip("the emulated machine needs Debian's archive once, which cannot be reached")
    if machine.returncode == 126:
        pytest.skip("the emulated machine did not boot in two tries")
    if "vcam_vm: up" in out and "vcam_vm: exit" not in out and machine.returncode == 125:
        pytest.skip("the emulated machine was not done in five minutes")
    for figure in re.findall(r"FIGURE (.*)$", out, re.MULTILINE):
        print(figure)
    assert "RESULT" in out, out[-3000:] + err[-3000:]
    return out


@pytest.mark.parametrize("check", CHECKS)
def test_in_the_emulated_machine(check: str, told: str) -> None:
    results = re.findall(rf"RESULT {check} (.*)$", told, re.MULTILINE)
    assert results, f"the guest never came to {check}: {told[-2000:]}"
    assert results[0].startswith("ok"), results[0].replace(" | ", "\n")
