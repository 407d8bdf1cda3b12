"""A file, a still or a test pattern that plays like a camera: in real time, over and over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from livelight.errors import InputError
from livelight.frame import Frame
from livelight.sources import Rewindable, Source

BEHIND_S = 0.5
"""A reader that is so late sees the stream go on from where it is, instead of a rush of late frames."""


class RealTimeSource:
    """Plays what ``open_source`` gives again and again, each frame at its time (LiveSource). Never ends by itself.

    pts go on across the seam. captured_s is the moment a frame is due. A source of one frame is shown ``still_rate``
    times a second. The constructor opens the source for the first time and raises its errors.
    """

    live = True
    frame_count: int | None = None

    def __init__(self, open_source: Callable[[], Source], still_rate: Fraction | int = 30) -> None:
        self._open_source = open_source
        self._source = open_source()
        self._still = self._source.frame_count == 1
        self.width, self.height = self._source.width, self._source.height
        self.rate = Fraction(still_rate) if self._still else self._source.rate
        self._ended = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        start_s: float | None = None
        for frame in self._again_and_again():
            now_s = time.monotonic()
            if start_s is None or now_s - (start_s + frame.time_s) > BEHIND_S:
                start_s = now_s - frame.time_s
            if self._ended.wait(max(start_s + frame.time_s - now_s, 0.0)):
                return
            yield replace(frame, captured_s=time.monotonic())

    def _again_and_again(self) -> Iterator[Frame]:
        """Frames without end; their pts go on."""
        step = 1 / self.rate
        offset_s = Fraction(0)
        while True:
            frame: Frame | None = None
            first_s: Fraction | None = None
            for frame in self._source:
                if self._still:
                    break
                moment_s = frame.pts * frame.time_base
                first_s = moment_s if first_s is None else first_s
                yield replace(frame, pts=frame.pts + round((offset_s - first_s) / frame.time_base))
            if frame is None:
                raise InputError("The source holds no frame; expected at least one.")
            if self._still:
                yield from self._held(frame)
            offset_s += frame.pts * frame.time_base - (first_s or 0) + step
            if not (isinstance(self._source, Rewindable) and self._source.rewind()):
                self._source.close()
                self._source = self._open_source()

    def _held(self, frame: Frame) -> Iterator[Frame]:
        index = 0
        while True:
            yield replace(frame, pts=index, time_base=1 / self.rate)
            index += 1

    def end(self) -> None:
        self._ended.set()

    def close(self) -> None:
        self._source.close()
