"""A live stream into a video file: its own clock, whatever the camera's does."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from livelight.errors import OutputError
from livelight.frame import Frame
from livelight.sinks.file import VideoFileSink

_TICKS = 90_000


class RecordingSink:
    """Records frames at the moments they were captured, from zero on (Sink). Frames keep the size of the first."""

    def __init__(self, path: Path, rate: Fraction | int, overwrite: bool = False) -> None:
        """Raises SettingsError or OutputError as VideoFileSink."""
        self._path = path
        self._file = VideoFileSink(path, rate=Fraction(rate), overwrite=overwrite)
        self._first_s: float | None = None
        self._last = -1

    def write(self, frame: Frame) -> None:
        if self._first_s is None:
            self._first_s = frame.captured_s
            self._size = frame.image.shape
        if frame.image.shape != self._size:
            raise OutputError(f"{self._path} cannot change its size in mid-recording; give one with --size.")
        self._last = max(round((frame.captured_s - self._first_s) * _TICKS), self._last + 1)
        self._file.write(Frame(frame.image, self._last, Fraction(1, _TICKS), frame.captured_s))

    def close(self) -> None:
        """Finish the file; one that no frame came for is not written."""
        if self._first_s is None:
            self._file.abort()
        else:
            self._file.close()

    def abort(self) -> None:
        self._file.abort()
