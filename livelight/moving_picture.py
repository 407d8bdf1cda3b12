"""A background as a function of time: a still picture, or a video that repeats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import InputError, LightError
from livelight.frame import Frame
from livelight.picture_file import MAX_PIXELS, kind_of, read_picture
from livelight.sources.file import VideoFileSource

Picture = NDArray[np.uint8]


class MovingPicture(Protocol):
    """A picture at any time. ``at`` returns the same array as long as nothing changes; nobody may write into it."""

    def at(self, time_s: float) -> Picture:
        """uint8 (h, w, 3) sRGB at ``time_s`` seconds >= 0; h and w never change."""
        ...

    def close(self) -> None:
        """Give the file back; may be called twice."""
        ...


class StillPicture:
    """The same picture at all times."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def at(self, time_s: float) -> Picture:
        return self._picture

    def close(self) -> None:
        pass


class LoopingVideo:
    """A video file that starts again at its end. Going forward decodes on; a time before the last one starts anew.

    Raises InputError when the file cannot be opened or breaks off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop_s: float | None = None  # known after the first pass
        self._source = self._opened()
        self._begin()

    def _opened(self) -> VideoFileSource:
        source = VideoFileSource(self._path)
        if source.width * source.height > MAX_PIXELS:
            source.close()
            raise LightError(f"{self._path}: its pictures exceed the limit of {MAX_PIXELS} pixels; make them smaller.")
        return source

    def _begin(self) -> None:
        self._frames: Iterator[Frame] = iter(self._source)
        self._shown = self._next = next(self._frames)
        self._start_s = self._shown.time_s

    def at(self, time_s: float) -> Picture:
        """The frame that is on screen at ``time_s``, the video repeated without end."""
        time_s = max(time_s, 0.0) if self._loop_s is None else time_s % self._loop_s
        if time_s < self._shown.time_s - self._start_s:
            if not self._source.rewind():
                self._source.close()
                self._source = self._opened()
            self._begin()
        while self._next.time_s - self._start_s <= time_s:
            self._shown = self._next
            following = next(self._frames, None)
            if following is None:
                return self._at_end(time_s)
            self._next = following
        return self._shown.image

    def _at_end(self, time_s: float) -> Picture:
        """The last frame is on screen for one frame's time; then the loop's length is known and the video repeats."""
        if self._loop_s is None:
            self._loop_s = self._shown.time_s - self._start_s + 1 / float(self._source.rate)
            if time_s >= self._loop_s:
                return self.at(time_s)
        return self._shown.image

    def close(self) -> None:
        self._source.close()


def open_moving_picture(path: Path) -> MovingPicture:
    """A picture (PNG, JPEG, WebP) or anything that FFmpeg reads as video. Raises LightError."""
    if kind_of(path) in ("png", "jpeg", "webp"):
        return StillPicture(read_picture(path))
    try:
        return LoopingVideo(path)
    except InputError as error:
        raise LightError(f"{path} is neither a picture nor a video that can be read: {error}") from error


def covering(picture: Picture, width: int, height: int) -> Picture:
    """The picture scaled to fill width x height, aspect kept, what hangs over cut off evenly: uint8 (height, width, 3).

    Shrinking averages areas, enlarging interpolates bicubically.
    """
    own_height, own_width = picture.shape[:2]
    scale = max(width / own_width, height / own_height)
    crop_width, crop_height = min(own_width, round(width / scale)), min(own_height, round(height / scale))
    x, y = (own_width - crop_width) // 2, (own_height - crop_height) // 2
    cropped = picture[y : y + max(crop_height, 1), x : x + max(crop_width, 1)]
    if cropped.shape[:2] == (height, width):
        return np.ascontiguousarray(cropped)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cropped, (width, height), interpolation=method), np.uint8)
