"""Which cameras there are, and what they can do."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av

from livelight import v4l2
from livelight.errors import DeviceError

LOOPBACK_DRIVER = "v4l2 loopback"


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One picture format and size, with the frame rates it is offered at (fastest first; empty if unknown)."""

    pixel_format: str
    width: int
    height: int
    rates: tuple[Fraction, ...] = ()


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that the system knows. ``device``: what FFmpeg opens. ``problem``: why it cannot be asked, or None.

    modes are known on Linux alone; macOS and Windows tell them only to a program that fails to open one.
    """

    number: int
    name: str
    device: str
    virtual: bool = False
    modes: tuple[CameraMode, ...] = field(default=())
    problem: str | None = None


def ffmpeg_format() -> str:
    """FFmpeg's device format for cameras on this system."""
    return {"darwin": "avfoundation", "win32": "dshow"}.get(sys.platform, "v4l2")


def list_cameras() -> list[Camera]:
    """All cameras, by number; virtual ones included. Empty where there is none."""
    if sys.platform.startswith("linux"):
        return _linux_cameras(Path("/dev"))
    try:
        devices = av.enumerate_input_devices(ffmpeg_format())
    except (ValueError, av.FFmpegError) as exc:
        raise DeviceError(f"The system does not list its cameras ({exc}); give one by number with --camera 0.") from exc
    found = [device for device in devices if "video" in str(device.media_types)]
    if sys.platform == "darwin":
        return [Camera(i, d.description or d.name, str(i)) for i, d in enumerate(found)]
    return [Camera(i, d.description or d.name, f"video={d.name}") for i, d in enumerate(found)]


def find_camera(wanted: str | None, cameras: list[Camera]) -> Camera:
    """The camera that ``wanted`` means: None the first real one, digits its number, a path, or a part of its name.

    Raises DeviceError that lists what there is.
    """
    if wanted is None:
        usable = [camera for camera in cameras if camera.problem is None and not camera.virtual]
        if usable:
            return usable[0]
        refused = next((camera.problem for camera in cameras if camera.problem), None)
        raise DeviceError(
            refused or "There is no camera; plug one in, or give a file or --camera pattern in place of it."
        )
    if wanted.isdigit():
        found = [camera for camera in cameras if camera.number == int(wanted)]
    elif os.sep in wanted:
        found = [camera for camera in cameras if os.path.realpath(wanted) == os.path.realpath(camera.device)]
    else:
        found = [c for c in cameras if c.name.lower() == wanted.lower()] or [
            c for c in cameras if wanted.lower() in c.name.lower()
        ]
    if found:
        return found[0]
    known = ", ".join(f"{camera.number} {camera.name!r}" for camera in cameras) or "none at all"
    raise DeviceError(f"There is no camera {wanted!r}; there is: {known}.")


def _linux_cameras(folder: Path) -> list[Camera]:
    numbered = [
        (int(match[1]), path) for path in folder.glob("video*") if (match := re.fullmatch(r"video(\d+)", path.name))
    ]
    return [camera for number, path in sorted(numbered) if (camera := _linux_camera(number, path)) is not None]


def _linux_camera(number: int, path: Path) -> Camera | None:
    """The camera behind a device file; None if it is another thing, such as a camera's node for metadata."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except PermissionError:
        problem = f"{path} may not be opened; expected your user in the group video: sudo usermod -aG video $USER."
        return Camera(number, path.name, str(path), problem=problem)
    except OSError as exc:
        return Camera(number, path.name, str(path), problem=f"{path} cannot be opened: {exc.strerror}.")
    try:
        driver, name, can = v4l2.capabilities(fd)
        if not can & v4l2.VIDEO_CAPTURE:
            return None
        return Camera(number, name, str(path), driver == LOOPBACK_DRIVER, tuple(_modes(fd)))
    except OSError:  # no video device
        return None
    finally:
        os.close(fd)


def _modes(fd: int) -> list[CameraMode]:
    modes = []
    for pixel_format in _formats(fd):
        for width, height in _sizes(fd, pixel_format):
            rates = tuple(_rates(fd, pixel_format, width, height))
            modes.append(CameraMode(v4l2.fourcc(pixel_format), width, height, rates))
    return modes


def _formats(fd: int) -> list[int]:
    found: list[int] = []
    try:
        while len(found) < 64:
            description = v4l2.FormatDescription(index=len(found), type=v4l2.VIDEO_CAPTURE)
            found.append(v4l2.ask(fd, v4l2.ENUM_FMT, description).pixelformat)
    except OSError:  # the end of the list
        pass
    return found


def _sizes(fd: int, pixel_format: int) -> list[tuple[int, int]]:
    """Sizes of a format; of a continuous range its ends and the common sizes within."""
    found: list[tuple[int, int]] = []
    try:
        while len(found) < 64:
            size = v4l2.ask(fd, v4l2.ENUM_FRAMESIZES, v4l2.FrameSize(index=len(found), pixel_format=pixel_format))
            numbers = list(size.numbers)
            if size.type != 1:
                least, most = (numbers[0], numbers[3]), (numbers[1], numbers[4])
                common = [(640, 480), (1280, 720), (1920, 1080)]
                return sorted({least, most, *(c for c in common if least[0] <= c[0] <= most[0] and c[1] <= most[1])})
            found.append((numbers[0], numbers[1]))
    except OSError:  # the end of the list
        pass
    return found


def _rates(fd: int, pixel_format: int, width: int, height: int) -> list[Fraction]:
    """Frames per second, fastest first."""
    found: list[Fraction] = []
    try:
        while len(found) < 64:
            asked = v4l2.FrameInterval(index=len(found), pixel_format=pixel_format, width=width, height=height)
            interval = v4l2.ask(fd, v4l2.ENUM_FRAMEINTERVALS, asked)
            numerator, denominator = interval.numbers[0], interval.numbers[1]
            if numerator == 0 or denominator == 0:
                break
            found.append(Fraction(denominator, numerator))
            if interval.type != 1:
                break  # a range begins at its shortest interval
    except OSError:  # the end of the list
        pass
    return sorted(set(found), reverse=True)
