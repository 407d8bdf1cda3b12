"""An emulated machine with real v4l2loopback cameras and a simulated webcam: python -m tests.vcam_vm.machine COMMAND.

Every step has a bound in seconds of the monotonic clock, and whatever a step started is killed at its end: no run waits
for a guest that hangs, nor for a pipe that an orphan holds (all output goes to files).
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
NEEDS = ("qemu-system-x86_64", "busybox", "cpio", "make", "gcc", "v4l2-ctl", "apt-get", "dpkg")

BUILD_S, BOOT_S, READY_S, COMMAND_S = 120, 75, 180, 300
"""Bounds: to build the guest (about 20 s on a quiet machine), for one boot of two (10 s), for all of that together, and
for the command (the checks of guest.py: 50 s)."""

UNREACHABLE = 3
"""build_guest's exit status when the archive does not give the packages."""

_POLL_S = 0.2


class Unavailable(Exception):
    """This machine cannot be had here; says why in one sentence."""


class Unfinished(AssertionError):
    """The guest was up, and its command did not come to its end in time; holds the end of what it said."""


def run_in_guest(command: list[str]) -> tuple[int, str]:
    """Exit status and output of ``command`` in the machine. Raises Unavailable or Unfinished."""
    ready_s = time.monotonic() + READY_S
    folder = guest_folder()
    with tempfile.TemporaryDirectory() as scratch:
        job = Path(scratch, "job")
        job.write_text(_job(command))
        for cpus in (2, 1):
            said = Path(scratch, f"said{cpus}")
            with started(_machine(folder, job, cpus), said) as machine:
                if not _seen("vcam_vm: up", said, machine, min(ready_s, time.monotonic() + BOOT_S)):
                    continue  # emulated machines hang while they boot, now and then
                ended = _seen(r"^vcam_vm: exit (\d+)\s*$", said, machine, time.monotonic() + COMMAND_S)
                text = said.read_text(errors="replace").replace("\r", "")
                if ended is None:
                    raise Unfinished(f"the guest was up and did not finish in time; it said last:\n{text[-3000:]}")
                return int(ended[1]), text[text.index("vcam_vm: up") :]
    raise Unavailable(f"the emulated machine did not boot in two tries of {BOOT_S} s at most")


def guest_folder() -> Path:
    """Where the guest's kernel and initramfs lie; built at the first use, and when build_guest has changed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "livelight-vcam-vm")
    folder = cache / hashlib.sha256((HERE / "build_guest").read_bytes()).hexdigest()[:12]
    if (folder / "initramfs.gz").exists():
        return folder
    with tempfile.TemporaryDirectory() as scratch:
        said = Path(scratch, "said")
        with started(["bash", str(HERE / "build_guest"), str(folder)], said, TMPDIR=scratch) as build:
            try:
                status = build.wait(BUILD_S)
            except subprocess.TimeoutExpired:
                raise Unavailable(f"the guest of the emulated machine could not be built in {BUILD_S} s") from None
        if status == UNREACHABLE:
            raise Unavailable("the emulated machine needs packages from Debian's archive, which cannot be reached")
        if status:
            raise AssertionError(
                f"build_guest failed with status {status}:\n{said.read_text(errors='replace')[-3000:]}"
            )
    return folder


@contextmanager
def started(command: list[str], said: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, its output in the file ``said``; at the end nothing of that session lives."""
    with said.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | settings,
        )
    try:
        yield process
    finally:
        for pid in _of_session(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)  # QEMU does not heed SIGTERM while its guest boots
            except ProcessLookupError:
                continue
        process.wait(30)


def _of_session(session: int) -> list[int]:
    """Processes of a session, whatever group they are in."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session:
            found.append(int(stat.parent.name))
    return found


def _seen(pattern: str, said: Path, machine: subprocess.Popen[bytes], until_s: float) -> re.Match[str] | None:
    """The first match of a line in what the machine says; None when the time is over, or the machine has ended."""
    while True:
        ended = machine.poll() is not None
        match = re.search(pattern, said.read_text(errors="replace").replace("\r", ""), re.MULTILINE)
        if match or ended or time.monotonic() > until_s:
            return match
        time.sleep(_POLL_S)


def _job(command: list[str]) -> str:
    """The shell script that the guest runs: the command, in this folder, with this search path."""
    settings = {
        "HOME": "/dev/shm",
        "TMPDIR": "/dev/shm",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "PYDANTIC_DISABLE_PLUGINS": "1",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HERE.parent.parent),
    }
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    return f'echo "vcam_vm: up"\n{exports}cd {shlex.quote(os.getcwd())} && exec {shlex.join(command)}\n'


def _machine(folder: Path, job: Path, cpus: int) -> list[str]:
    return [
        *("qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "max", "-m", "1024", "-smp", str(cpus)),
        *("-nographic", "-no-reboot", "-nic", "none"),
        *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initramfs.gz")),
        *("-append", f"console=ttyS0 quiet panic=-1 no_timer_check vcam_job={job}"),
        *("-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"),
    ]


if __name__ == "__main__":
    try:
        status, text = run_in_guest(sys.argv[1:])
    except (Unavailable, Unfinished) as exc:
        sys.exit(f"vcam_vm: {exc}")
    print(text, end="")
    sys.exit(status)
