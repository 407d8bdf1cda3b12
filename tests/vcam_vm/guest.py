"""Runs inside the emulated machine, in one process that forks (imports are slow there): python -m tests.vcam_vm.guest.

Prints "RESULT name ok" or "RESULT name failed: why" for every check, and "FIGURE name value". /dev/video0 is a
simulated webcam (vivid), /dev/video10 a loopback with exclusive_caps=1 called LiveLight, /dev/video11 one without.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np

from livelight import v4l2
from livelight.barcode import clock_ms, elapsed_ms, read_barcode, write_barcode
from livelight.errors import DeviceError, LiveLightError
from livelight.fakes import IdentityRelighter, WhiteRoom
from livelight.frame import Frame
from livelight.sinks import loopback_readers
from livelight.sinks.loopback import LoopbackSink, list_loopbacks
from livelight.sources.camera_list import find_camera, list_cameras
from livelight.sources.synthetic import SyntheticSource
from livelight.standby import standby_picture
from pipelines import cameras, run
from pipelines.run_settings import RunSettings

WEBCAM, VIRTUAL, OTHER = "/dev/video0", "/dev/video10", "/dev/video11"
W, H, FPS = 320, 180, 10
LIMIT_S = 150


class Barcoded(IdentityRelighter):
    """Writes the time at which the frame was captured into it."""

    def step(self, frame, light, state):
        age_ms = int((time.monotonic() - frame.captured_s) * 1e3)
        marked = write_barcode(frame.image, (clock_ms() - age_ms) & 0xFFFFFFFF)
        return frame.with_image(marked), 1


class Writer:
    """``livelight run`` in a forked process, with fakes in place of network and light."""

    def __init__(self, relighter=IdentityRelighter, **settings):
        self.log = Path(f"/dev/shm/log{time.monotonic_ns()}")
        self.log.touch()
        self.status = None
        self.pid = os.fork()
        if self.pid == 0:
            self._be_livelight(relighter, RunSettings(size=f"{W}x{H}", fps=FPS, every_frame=True, **settings))

    def _be_livelight(self, relighter, settings):
        log = os.open(self.log, os.O_WRONLY)
        os.dup2(log, 2)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        status = 99
        try:
            status = run.run(settings, False, lambda *_: relighter(), lambda *_: WhiteRoom())
        except SystemExit as exc:
            status = exc.code
        except LiveLightError as exc:
            print(exc, file=sys.stderr, flush=True)
            status = 1
        except BaseException:
            traceback.print_exc()
        os._exit(status)

    @property
    def said(self):
        return self.log.read_text()

    def ready(self):
        wait_until(lambda: "to quit" in self.said or self.ended(), lambda: self.said)
        assert not self.ended(), self.said
        return self

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def end(self, number=signal.SIGTERM):
        if not self.ended():
            os.kill(self.pid, number)
        wait_until(self.ended, lambda: self.said)
        return self.status


class Reader:
    """PyAV on a device, as a program that looks."""

    def __init__(self, device=VIRTUAL):
        self.container = av.open(device, format="v4l2")
        self.stream = self.container.streams.video[0]
        self.frames = self.container.decode(self.stream)

    def next(self):
        return next(self.frames).to_ndarray(format="rgb24")

    def until(self, true):
        """The first picture for which ``true``."""
        until = time.monotonic() + LIMIT_S
        while not true(picture := self.next()):
            assert time.monotonic() < until, (
                f"no such picture; corner {picture[4, 4]}, centre {picture[H // 2, W // 2]}"
            )
        return picture

    def close(self):
        self.frames.close()
        self.container.close()


def wait_until(true, why=lambda: ""):
    until = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until, f"waited in vain: {why()}"
        time.sleep(0.02)


def far(picture, expected):
    """Mean difference of two pictures in levels."""
    return float(np.abs(picture.astype(int) - expected).mean())


def is_standby(picture, sentence):
    return far(picture, standby_picture(W, H, sentence)) < 4


def small(picture):
    return cv2.resize(picture, (W // 4, H // 4), interpolation=cv2.INTER_AREA)


@lru_cache
def patterns():
    """The test pattern at several moments of its sway, small: drawing is slow here."""
    source = SyntheticSource(W, H)
    return [small(source.image(index)) for index in range(0, 60, 3)]


def is_pattern(picture):
    """Whether it is the test pattern, somewhere in its sway."""
    seen = small(picture)
    return min(far(seen, pattern) for pattern in patterns()) < 4


def webcam_used():
    return loopback_readers.held_by_others(os.stat(WEBCAM).st_rdev)


def check_picture_size_and_rate():
    writer = Writer(camera="pattern").ready()
    reader = Reader()
    reader.until(is_pattern)
    assert (reader.stream.width, reader.stream.height) == (W, H)
    told = subprocess.run(["v4l2-ctl", "-d", VIRTUAL, "-V", "-P"], capture_output=True, text=True, check=True).stdout
    assert f"{W}/{H}" in told, told
    assert "YUYV" in told, told
    assert f"{FPS}.000" in told, told
    reader.close()
    assert writer.end() == 128 + signal.SIGTERM


def check_reader_switches_the_camera():
    """And what an unwatched session costs, and how soon a reader sees the camera's picture."""
    writer = Writer(camera="vivid").ready()
    assert list_loopbacks()[0] == (VIRTUAL, "LiveLight")
    assert not webcam_used()
    before = cpu_s(writer.pid)
    time.sleep(3)
    print(f"FIGURE unwatched_cpu_percent {(cpu_s(writer.pid) - before) / 3 * 100:.2f}")
    assert not webcam_used()
    opened_s = time.monotonic()
    reader = Reader()
    reader.until(lambda p: not is_standby(p, "Starting the camera"))
    print(f"FIGURE reader_to_first_frame_s {time.monotonic() - opened_s:.2f}")
    assert webcam_used()
    reader.close()
    wait_until(lambda: not webcam_used(), lambda: writer.said)
    writer.end()


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def foreign_writer(device):
    """The descriptor of another program that writes, in 640x480, and takes no lock."""
    fd = os.open(device, os.O_RDWR)
    wanted = v4l2.Format(type=v4l2.VIDEO_OUTPUT)
    pix = wanted.fmt.pix
    pix.width, pix.height, pix.pixelformat = 640, 480, v4l2.fourcc_code("YUYV")
    v4l2.ask(fd, v4l2.S_FMT, wanted)
    v4l2.start_output(fd)
    os.write(fd, bytes(640 * 480 * 2))
    return fd


def check_second_writer_is_refused():
    writer = Writer(camera="pattern").ready()
    second = Writer(camera="pattern")
    assert second.end(0) == 1
    assert f"Another LiveLight writes to {VIRTUAL}" in second.said, second.said
    writer.end()
    fd = foreign_writer(VIRTUAL)
    third = Writer(camera="pattern")
    assert third.end(0) == 1
    assert f"Another program writes to {VIRTUAL}" in third.said, third.said
    os.close(fd)


def check_killed_writer_leaves_no_wedge():
    writer = Writer(camera="pattern").ready()
    reader = Reader()
    reader.until(is_pattern)
    assert writer.end(signal.SIGKILL) == -signal.SIGKILL
    reader.until(lambda p: is_standby(p, "LiveLight has stopped"))
    again = Writer(camera="pattern").ready()
    reader.until(is_pattern)
    reader.close()
    again.end()


def refusal(device):
    """The sentence with which a device is not taken."""
    try:
        LoopbackSink(device, W, H, FPS).close()
    except DeviceError as exc:
        return str(exc)
    return "taken"


def check_foreign_format_is_refused():
    fd = foreign_writer(OTHER)
    subprocess.run(["v4l2-ctl", "-d", OTHER, "-c", "keep_format=1"], check=True)
    os.close(fd)
    try:
        said = refusal(OTHER)
        assert "is held at 640x480" in said, said
        assert f"expected {W}x{H}" in said, said
    finally:
        subprocess.run(["v4l2-ctl", "-d", OTHER, "-c", "keep_format=0"], check=True)


def check_unplugged_and_back():
    driver = Path("/sys/bus/platform/drivers/vivid")
    writer = Writer(camera="vivid", always=True).ready()
    wait_until(webcam_used, lambda: writer.said)
    reader = Reader()
    reader.until(lambda p: not is_standby(p, "Starting the camera"))
    (driver / "unbind").write_text("vivid.0")
    reader.until(lambda p: is_standby(p, "Waiting for the camera"))
    assert "Waiting for it." in writer.said, writer.said
    (driver / "bind").write_text("vivid.0")
    reader.until(lambda p: not is_standby(p, "Waiting for the camera"))
    wait_until(lambda: "The camera is back." in writer.said, lambda: writer.said)
    reader.close()
    writer.end()


def check_camera_held_by_another_program():
    with subprocess.Popen(["v4l2-ctl", "-d", WEBCAM, "--stream-mmap"], stderr=subprocess.DEVNULL) as other:
        wait_until(lambda: webcam_used() and other.poll() is None)
        time.sleep(1)
        writer = Writer(camera="vivid", always=True).ready()
        wait_until(lambda: "held by another program" in writer.said, lambda: writer.said)
        other.terminate()
    wait_until(lambda: "The camera is back." in writer.said, lambda: writer.said)
    writer.end()


def check_listing():
    found = find_camera("vivid", list_cameras())
    assert ("YUYV", 640, 360) in {(m.pixel_format, m.width, m.height) for m in found.modes}
    assert any("640x360" in line and "30, 25" in line for line in cameras.lines_of(found)), cameras.lines_of(found)


def check_a_real_camera_is_no_sink():
    writer = Writer(camera="pattern", sink=WEBCAM)
    assert writer.end(0) == 1
    assert "is a real camera" in writer.said, writer.said


def check_latency():
    """Capture to reader through the device, by the clock that is written into the frames."""
    writer = Writer(Barcoded, camera="pattern").ready()
    reader = Reader()
    delays = []
    until = time.monotonic() + LIMIT_S
    while len(delays) < 15:
        assert time.monotonic() < until, "no barcodes"
        number = read_barcode(reader.next())
        if number is not None:
            delays.append(elapsed_ms(number, clock_ms()))
    print(f"FIGURE capture_to_reader_ms {sorted(delays)[7]}")
    reader.close()
    writer.end()


def check_obs_camera():
    """pyvirtualcam writes to a loopback too: the second road to a virtual camera."""
    from livelight.sinks.obs_camera import ObsCameraSink

    sink = ObsCameraSink(OTHER, W, H, FPS)
    image = SyntheticSource(W, H).image(0)
    frame = Frame(image, 0, SyntheticSource(W, H).rate, time.monotonic())
    sink.write(frame)
    reader = Reader(OTHER)
    for _ in range(3):
        sink.write(frame)
    assert is_pattern(reader.next())
    reader.close()
    sink.close()


def main():
    cv2.setNumThreads(1)
    wanted = sys.argv[1:]
    for name, check in list(globals().items()):
        if not name.startswith("check_") or (wanted and name.removeprefix("check_") not in wanted):
            continue
        began_s = time.monotonic()
        try:
            check()
        except Exception:  # told to the machine outside, which fails the test
            told = traceback.format_exc().strip().replace("\n", " | ")
            print(f"RESULT {name} failed: {told}", flush=True)
        else:
            print(f"RESULT {name} ok, {time.monotonic() - began_s:.0f} s", flush=True)


if __name__ == "__main__":
    main()
