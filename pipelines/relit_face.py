"""A face to judge lights by: one frame of a clip or picture, relit."""

from __future__ import annotations

from collections import deque
from importlib.resources import files
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.config import RelightSettings
from livelight.frame import Frame
from livelight.lighting import Light
from livelight.relight import Relighter, build_relighter
from livelight.sources.file import VideoFileSource
from livelight.sources.picture import PICTURE_SUFFIXES, PictureSource

STEPS = 4
"""The same frame is shown to the network so many times, that its recurrent state settles."""

LARGEST = 720
"""Frames are brought to this height: the sheet shows a thumbnail."""


class FaceInLight:
    """Relights one still frame under any number of lights, each from a fresh state."""

    def __init__(self, frame: Frame, relighter: Relighter) -> None:
        self._frame = frame
        self._relighter = relighter

    def __call__(self, light: Light) -> NDArray[np.uint8]:
        """The middle square of the relit frame: uint8 (n, n, 3) sRGB."""
        relit, state = self._relighter.step(self._frame, light)
        for _ in range(STEPS - 1):
            relit, state = self._relighter.step(self._frame, light, state)
        height, width = relit.image.shape[:2]
        side = min(height, width)
        x, y = (width - side) // 2, (height - side) // 2
        return relit.image[y : y + side, x : x + side]


def demo_clip() -> Path:
    """The rendered talking head that ships with LiveLight."""
    return Path(str(files("pipelines") / "demo" / "talking.mp4"))


def open_face(path: Path) -> FaceInLight:
    """The middle frame of a video, or a picture, under the standard relighter. Raises InputError, RuntimeFailure."""
    return FaceInLight(middle_frame(path), build_relighter(RelightSettings()))


def middle_frame(path: Path) -> Frame:
    """The frame halfway through a clip, or the picture, at most LARGEST rows high. Raises InputError."""
    source = PictureSource(path) if path.suffix.lower() in PICTURE_SUFFIXES else VideoFileSource(path)
    try:
        half = (source.frame_count or 1) // 2
        (frame,) = deque(islice(source, half + 1), maxlen=1)  # every open source has one frame or more
    finally:
        source.close()
    if frame.height <= LARGEST:
        return frame
    size = (round(frame.width * LARGEST / frame.height), LARGEST)
    return frame.with_image(np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), np.uint8))
