"""A camera, through FFmpeg's device of the system (v4l2, avfoundation, dshow)."""

from __future__ import annotations

import errno
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from livelight.errors import DeviceError
from livelight.frame import Frame
from livelight.sources.camera_list import Camera, CameraMode, ffmpeg_format
from livelight.video_color import SrgbReader

SILENCE_S = 5.0
"""A camera that gives no picture for so long is taken for lost."""

OPEN_S = 10.0
POLL_S = 0.002
CLOCK_SLACK_S = 5.0

_NONBLOCK = str(0x200000 | 4)
"""FFmpeg's fflags: its default, and never wait inside the driver, so that a dead camera cannot hold the thread."""

_BROKEN = 20
"""Packets in a row that cannot be decoded before the camera is given up."""


class CameraSource:
    """Frames of a camera (LiveSource), upright as it gives them.

    Asks for the mode nearest to width x height at ``rate``; compressed (MJPG) where the camera offers it at 720 lines
    and more, since USB carries too few raw pictures. What the camera really gives stands in width, height and rate.
    captured_s is the driver's time where that is on the monotonic clock. Raises DeviceError if the camera is absent,
    held by another program, unplugged in mid-stream, or silent for SILENCE_S seconds.
    """

    live = True
    frame_count: int | None = None

    def __init__(self, camera: Camera, width: int, height: int, rate: Fraction | int) -> None:
        self._camera = camera
        self._ended = threading.Event()
        options = mode_options(camera, width, height, Fraction(rate))
        try:
            self._container = _open(camera.device, options)
        except (av.FFmpegError, OSError) as exc:
            raise _refused(camera, exc) from exc
        try:
            self._stream = _video(self._container, camera)
            self._reader = SrgbReader()
            self.width, self.height = self._stream.width, self._stream.height
            self.rate: Fraction = self._stream.average_rate or self._stream.guessed_rate or Fraction(rate)
        except BaseException:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        broken = 0
        for packet in self._packets():
            try:
                pictures = packet.decode()
            except av.FFmpegError as exc:  # half a JPEG: the next one may be whole
                broken += 1
                if broken >= _BROKEN:
                    raise DeviceError(
                        f"{self._camera.name} sends nothing but broken pictures ({exc.strerror})."
                    ) from exc
                continue
            broken = 0
            for picture in pictures:
                yield self._frame(picture)

    def _packets(self) -> Iterator[av.Packet]:
        """Packets until ``end``; looks every POLL_S seconds, as the driver must not be waited for."""
        last_s = time.monotonic()
        while not self._ended.is_set():
            try:
                for packet in self._container.demux(self._stream):
                    last_s = time.monotonic()
                    yield packet
                    if self._ended.is_set():
                        return
                raise DeviceError(f"{self._camera.name} has ended its stream; was it unplugged?")
            except BlockingIOError as exc:
                if time.monotonic() - last_s > SILENCE_S:
                    raise DeviceError(
                        f"{self._camera.name} has sent no picture for {SILENCE_S:.0f} s; plug it in again."
                    ) from exc
                self._ended.wait(POLL_S)
            except (av.FFmpegError, OSError) as exc:
                raise _refused(self._camera, exc) from exc

    def _frame(self, picture: av.VideoFrame) -> Frame:
        now_s = time.monotonic()
        time_base = picture.time_base or self._stream.time_base or 1 / self.rate
        pts = picture.pts if picture.pts is not None else round(now_s / time_base)
        taken_s = float(pts * time_base)
        on_clock = 0 <= now_s - taken_s < CLOCK_SLACK_S
        image = self._reader.read(picture, (self.width, self.height))
        return Frame(image, pts, time_base, taken_s if on_clock else now_s)

    def end(self) -> None:
        self._ended.set()

    def close(self) -> None:
        self._container.close()


def mode_options(camera: Camera, width: int, height: int, rate: Fraction) -> dict[str, str]:
    """FFmpeg's options for the mode of ``camera`` that is nearest to what is wanted."""
    options = {"fflags": _NONBLOCK}
    if sys.platform.startswith("linux"):
        mode = nearest_mode(camera.modes, width, height, rate)
        if mode is None:
            return options
        options["video_size"] = f"{mode.width}x{mode.height}"
        name = _INPUT_FORMATS.get(mode.pixel_format)
        if name:
            options["input_format"] = name
        fitting = [offered for offered in mode.rates if offered <= rate] or list(mode.rates[-1:])
        if fitting:
            options["framerate"] = str(fitting[0])
        return options
    options |= {"video_size": f"{width}x{height}", "framerate": str(rate)}
    if sys.platform == "win32":
        options["rtbufsize"] = "64M"  # at the default, the driver drops frames silently
        if height >= 720:
            options["vcodec"] = "mjpeg"
    return options


_INPUT_FORMATS = {"MJPG": "mjpeg", "JPEG": "mjpeg", "YUYV": "yuyv422", "UYVY": "uyvy422", "NV12": "nv12"} | {
    "YU12": "yuv420p",
    "RGB3": "rgb24",
    "BGR3": "bgr24",
    "GREY": "gray",
}
_COMPRESSED = ("MJPG", "JPEG")


def nearest_mode(modes: tuple[CameraMode, ...], width: int, height: int, rate: Fraction) -> CameraMode | None:
    """The mode for a wanted size and rate: large enough first, then fast enough, then the least pixels.

    Of the same size and speed, compressed from 720 lines on, raw below. None without any mode that FFmpeg reads.
    """

    def cost(mode: CameraMode) -> tuple[bool, bool, float, bool]:
        small = mode.width < width or mode.height < height
        slow = bool(mode.rates) and mode.rates[0] < rate * Fraction(9, 10)
        area = mode.width * mode.height
        compressed = mode.pixel_format in _COMPRESSED
        return small, slow, -area if small else area, compressed != (mode.height >= 720)

    known = [mode for mode in modes if mode.pixel_format in _INPUT_FORMATS]
    return min(known, key=cost, default=None)


def _open(device: str, options: dict[str, str]) -> InputContainer:
    container: InputContainer = av.open(device, "r", format=ffmpeg_format(), options=options, timeout=(OPEN_S, None))
    return container


def _video(container: InputContainer, camera: Camera) -> VideoStream:
    if not container.streams.video:
        raise DeviceError(f"{camera.name} gives no picture; expected a camera.")
    return container.streams.video[0]


def _refused(camera: Camera, exc: av.FFmpegError | OSError) -> DeviceError:
    name = f"The camera {camera.name!r} ({camera.device})"
    code = exc.errno
    if code in (errno.EBUSY, errno.EAGAIN):
        return DeviceError(f"{name} is held by another program; close that program.")
    if code in (errno.ENODEV, errno.ENOENT, errno.ENXIO, errno.EIO, errno.EPROTO, errno.ESHUTDOWN):
        return DeviceError(f"{name} is not there; plug it in.")
    if code in (errno.EACCES, errno.EPERM):
        return DeviceError(f"{name} may not be opened; allow this program to use the camera.")
    return DeviceError(f"{name} cannot be opened ({exc.strerror or exc}).")
