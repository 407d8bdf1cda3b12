"""A v4l2loopback device as virtual camera: our own small writer, which believes nothing that it has not read back."""

from __future__ import annotations

import errno
import logging
import mmap
import os
import re
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight import v4l2
from livelight.errors import DeviceError, SettingsError
from livelight.frame import Frame
from livelight.sinks.loopback_readers import Readers, readers_of
from livelight.standby import standby_picture

DRIVER = "v4l2 loopback"
PIXELS = "YUYV"
"""What every program reads; Rec.601, limited range."""

SILENCE_MS = 3000
"""After so long without a frame (this program was killed) the driver itself shows the farewell picture."""

_CONTROL_TIMEOUT, _CONTROL_TIMEOUT_IMAGE_IO = 0x0098F902, 0x0098F903
_MMAP = 1
_SRGB = 8
_NO_FIELDS = 1

INSTALL = (
    "install it (Debian, Ubuntu: sudo apt install v4l2loopback-dkms) and load it with: "
    "sudo modprobe v4l2loopback card_label=LiveLight exclusive_caps=1"
)

log = logging.getLogger(__name__)


class LoopbackSink:
    """Writes frames into a v4l2loopback device (WatchedSink). All frames have its size.

    The constructor takes the device for itself, reads the format back, and shows the standby picture, so that programs
    find a camera. Raises DeviceError if the device is absent, no loopback, written by another program, or held in
    another format; SettingsError for odd sizes. Its descriptor stays open until ``close``; when the process is killed
    the driver frees the device, and shows the farewell picture to those who still look.
    """

    def __init__(self, device: str, width: int, height: int, rate: Fraction | int) -> None:
        if width % 2 or height % 2:
            raise SettingsError(f"A virtual camera needs even sides; got {width}x{height}.")
        self.device, self.width, self.height = device, width, height
        self._fd = _opened(device)
        self._readers: Readers | None = None
        try:
            self.name = _claimed(self._fd, device)
            _set_format(self._fd, device, width, height)
            _set_rate(self._fd, Fraction(rate))
            _leave_farewell(self._fd, device, width, height)
            if loopback_version() < (0, 14):
                # Else write() does not count as a writer there, and a killed one leaves the device without output.
                v4l2.start_output(self._fd)
            self._show(standby_picture(width, height, "Starting the camera"))
            self._readers = readers_of(self._fd, device)
        except OSError as exc:
            self.close()
            raise DeviceError(f"{device} cannot be set up as virtual camera ({exc.strerror}); {INSTALL}.") from exc
        except BaseException:
            self.close()
            raise

    def write(self, frame: Frame) -> None:
        """Raises DeviceError if the device is gone."""
        if (frame.width, frame.height) != (self.width, self.height):
            expected, got = f"{self.width}x{self.height}", f"{frame.width}x{frame.height}"
            raise DeviceError(f"{self.device} takes frames of {expected}; got {got}.")
        try:
            self._show(frame.image)
        except OSError as exc:
            raise DeviceError(
                f"The virtual camera {self.device} takes no more frames ({exc.strerror}); was v4l2loopback removed?"
            ) from exc

    def _show(self, image: NDArray[np.uint8]) -> None:
        picture = yuyv(image)
        written = os.write(self._fd, picture.data.cast("B"))
        if written != picture.nbytes:
            raise OSError(errno.EIO, f"{written} of {picture.nbytes} bytes written")

    def watched(self) -> bool:
        return self._readers is not None and self._readers.watched()

    def close(self) -> None:
        """Let the device go."""
        if self._readers is not None:
            self._readers.close()
            self._readers = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def abort(self) -> None:
        self.close()


def yuyv(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (h, w, 3) sRGB -> uint8 (h, w, 2) YUYV, Rec.601 limited range; sides even."""
    return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_YUY2))


def loopback_version() -> tuple[int, ...]:
    """Of the loaded module, such as (0, 12, 7); empty if it does not say."""
    try:
        text = Path("/sys/module/v4l2loopback/version").read_text()
    except OSError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def list_loopbacks(folder: Path = Path("/dev")) -> list[tuple[str, str]]:
    """(device, name) of every v4l2loopback device, by number."""
    found = []
    for path in sorted(folder.glob("video*"), key=lambda p: (len(p.name), p.name)):
        try:
            fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        except OSError:  # not ours to open: the doctor tells
            continue
        try:
            driver, name, _ = v4l2.capabilities(fd)
        except OSError:
            continue
        finally:
            os.close(fd)
        if driver == DRIVER:
            found.append((str(path), name))
    return found


def _opened(device: str) -> int:
    try:
        fd = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as exc:
        raise DeviceError(f"There is no {device}; v4l2loopback makes such devices: {INSTALL}.") from exc
    except PermissionError as exc:
        raise DeviceError(
            f"{device} may not be opened; expected you in the group video: sudo usermod -aG video $USER, then log in."
        ) from exc
    except OSError as exc:
        raise DeviceError(f"{device} cannot be opened ({exc.strerror}); {INSTALL}.") from exc
    import fcntl  # not on Windows

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(fd)
        raise DeviceError(f"Another LiveLight writes to {device}; stop it, or choose another --sink.") from exc
    return fd


def _claimed(fd: int, device: str) -> str:
    """The name of a loopback device that is free for a writer."""
    try:
        driver, name, can = v4l2.capabilities(fd)
    except OSError as exc:
        raise DeviceError(f"{device} is no video device; expected one made by v4l2loopback: {INSTALL}.") from exc
    if driver != DRIVER:
        raise DeviceError(f"{device} ({name}) is a real camera, expected a v4l2loopback device: {INSTALL}.")
    if not can & v4l2.VIDEO_OUTPUT:
        raise DeviceError(f"Another program writes to {device} ({name}); close it, or choose another --sink.")
    return name


def _set_format(fd: int, device: str, width: int, height: int) -> None:
    wanted = v4l2.Format(type=v4l2.VIDEO_OUTPUT)
    pix = wanted.fmt.pix
    pix.width, pix.height, pix.pixelformat = width, height, v4l2.fourcc_code(PIXELS)
    pix.field, pix.colorspace = _NO_FIELDS, _SRGB
    pix.bytesperline, pix.sizeimage = 2 * width, 2 * width * height
    try:
        v4l2.ask(fd, v4l2.S_FMT, wanted)
    except OSError as exc:
        if exc.errno == errno.EBUSY:
            raise DeviceError(f"Another program writes to {device}; close it, or choose another --sink.") from exc
        raise
    pix = v4l2.ask(fd, v4l2.G_FMT, v4l2.Format(type=v4l2.VIDEO_OUTPUT)).fmt.pix
    got = (v4l2.fourcc(pix.pixelformat), pix.width, pix.height)
    if got != (PIXELS, width, height):
        raise DeviceError(
            f"{device} is held at {got[1]}x{got[2]} {got[0]} by a program that has it open, expected {width}x{height} "
            f"{PIXELS}; close that program, or start with --size {got[1]}x{got[2]} if its format is {PIXELS}."
        )


def _set_rate(fd: int, rate: Fraction) -> None:
    parameters = v4l2.StreamParameters(type=v4l2.VIDEO_OUTPUT)
    parameters.numbers[2], parameters.numbers[3] = rate.denominator, rate.numerator
    v4l2.ask(fd, v4l2.S_PARM, parameters)


def _leave_farewell(fd: int, device: str, width: int, height: int) -> None:
    """Store the picture that the driver shows when this process has died; without one it would show green."""
    try:
        v4l2.ask(fd, v4l2.S_CTRL, v4l2.Control(_CONTROL_TIMEOUT, 0))
        for value in (0, 1):  # a control that has its value already is not set again
            v4l2.ask(fd, v4l2.S_CTRL, v4l2.Control(_CONTROL_TIMEOUT_IMAGE_IO, value))
        image_fd = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        try:
            v4l2.ask(image_fd, v4l2.REQBUFS, v4l2.RequestBuffers(1, v4l2.VIDEO_OUTPUT, _MMAP))
            buffer = v4l2.ask(image_fd, v4l2.QUERYBUF, v4l2.Buffer(index=0, type=v4l2.VIDEO_OUTPUT, memory=_MMAP))
            picture = yuyv(standby_picture(width, height, "LiveLight has stopped")).tobytes()
            with mmap.mmap(image_fd, buffer.length, offset=buffer.offset & 0xFFFFFFFF) as memory:
                memory[: len(picture)] = picture
        finally:
            os.close(image_fd)
        v4l2.ask(fd, v4l2.S_CTRL, v4l2.Control(_CONTROL_TIMEOUT, SILENCE_MS))
    except (OSError, ValueError) as exc:  # a driver without it: readers see the last frame instead
        log.info("%s keeps no farewell picture: %s", device, exc)
