"""livelight against a real v4l2loopback, in the emulated machine: boots once, runs tests/vcam_vm/guest.py there."""

from __future__ import annotations

import ast
import os
import re
import shutil
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
    done = subprocess.run(
        [HERE / "vcam_vm", sys.executable, "-m", "tests.vcam_vm.guest"],
        cwd=HERE.parent.parent,
        env=os.environ | {"VCAM_VM_TIMEOUT_S": "900", "PYTHONPATH": str(HERE.parent.parent)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if "apt-get download" in done.stderr or "Unable to fetch" in done.stderr or "Unable to locate" in done.stderr:
        pytest.skip("the emulated machine needs Debian's archive once, which cannot be reached")
    for figure in re.findall(r"FIGURE (.*)$", done.stdout, re.MULTILINE):
        print(figure)
    assert "RESULT" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("check", CHECKS)
def test_in_the_emulated_machine(check: str, told: str) -> None:
    results = re.findall(rf"RESULT {check} (.*)$", told, re.MULTILINE)
    assert results, f"the guest never came to {check}: {told[-2000:]}"
    assert results[0].startswith("ok"), results[0].replace(" | ", "\n")
