"""What a person means by a camera: a real one by name or number, or a file, a still or the test pattern instead."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from stat import S_ISCHR

from livelight.sources import Source
from livelight.sources.camera import CameraSource
from livelight.sources.camera_list import Camera, find_camera, list_cameras
from livelight.sources.file import VideoFileSource
from livelight.sources.gstreamer import GStreamerSource
from livelight.sources.picture import PICTURE_SUFFIXES, PictureSource
from livelight.sources.real_time import RealTimeSource
from livelight.sources.synthetic import SyntheticSource

GSTREAMER = "gst:"
PATTERN = "pattern"
"""The name of the test pattern: a drawn person who sways."""


class CameraChoice:
    """Opens the same camera again and again: call it for a Source. ``name`` is what to call it to people.

    wanted: None (the first real camera), a number, a part of a name, a device's path, a video or picture file, or
    "pattern", or "gst:" and a GStreamer pipeline. A real camera is looked up anew at each opening, by its name once it
    was found, since it may come back under another number. Raises DeviceError where there is none, InputError for a
    file or pipeline that cannot be read.
    """

    def __init__(
        self,
        wanted: str | None,
        width: int,
        height: int,
        rate: Fraction | int,
        cameras: Callable[[], list[Camera]] = list_cameras,
        other_than: str | None = None,
    ) -> None:
        """other_than: a device that is no camera to us: the virtual camera that is written to."""
        self._wanted = wanted
        self._size, self._rate = (width, height), Fraction(rate)
        self._cameras, self._other_than = cameras, other_than
        self._found: Camera | None = None

    @property
    def name(self) -> str:
        return self._found.name if self._found else self._wanted or "camera"

    @property
    def is_device(self) -> bool:
        """Whether it means a real camera."""
        return self._wanted != PATTERN and not _is_pipeline(self._wanted) and not _is_file(self._wanted)

    def find(self) -> Camera:
        """The real camera that is meant, without opening it. Raises DeviceError."""
        cameras = [camera for camera in self._cameras() if camera.device != self._other_than]
        if self._found is not None:
            again = [camera for camera in cameras if camera.name == self._found.name]
            same = [camera for camera in again if camera.number == self._found.number]
            if again:
                self._found = (same or again)[0]
                return self._found
        self._found = find_camera(self._wanted, cameras)
        return self._found

    def __call__(self) -> Source:
        if self._wanted == PATTERN:
            width, height = self._size
            return RealTimeSource(lambda: SyntheticSource(width, height, self._rate, None))
        if self._wanted is not None and _is_pipeline(self._wanted):
            return _piped(self._wanted.removeprefix(GSTREAMER))
        if self._wanted is not None and _is_file(self._wanted):
            return _playing(Path(self._wanted), self._rate)
        return CameraSource(self.find(), *self._size, self._rate)


def _is_pipeline(wanted: str | None) -> bool:
    return wanted is not None and wanted.startswith(GSTREAMER)


def _piped(description: str) -> Source:
    """A live pipeline as it comes; another one, a file perhaps, at the speed of its times."""
    source = GStreamerSource(description)
    if source.live:
        return source
    source.close()
    return RealTimeSource(lambda: GStreamerSource(description))


def _is_file(wanted: str | None) -> bool:
    """A path to something that is no device; a name with a suffix counts as one, so that a typing error is told."""
    if wanted is None or wanted.isdigit():
        return False
    path = Path(wanted)
    try:
        return not S_ISCHR(path.stat().st_mode)
    except OSError:
        return bool(path.suffix) or (len(path.parts) > 1 and not wanted.startswith("/dev/"))


def _playing(path: Path, rate: Fraction) -> Source:
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return RealTimeSource(lambda: PictureSource(path), rate)
    return RealTimeSource(lambda: VideoFileSource(path))
