"""Whether a frame shows the same as the last one that was relit, so that the result can be shown again."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.frame import Frame
from livelight.lighting import Light

GRID = (64, 36)
LEVELS = 2.0
"""A cell of the grid may move by so many levels of 255: above a camera's noise, below a blink."""

SETTLE_FRAMES = 8
"""Similar frames that are relit all the same, until the network's state has settled."""


class SimilarFrames:
    """Compares each frame with the last relit one on a coarse grid, so that a slow change adds up and is seen."""

    def __init__(self) -> None:
        self._seen: NDArray[np.uint8] | None = None
        self._light: Light | None = None
        self._still = 0

    def same(self, frame: Frame, light: Light) -> bool:
        """Whether ``frame`` under ``light`` needs no relighting. A False means that the caller relights it."""
        cells: NDArray[np.uint8] = cv2.resize(frame.image, GRID, interpolation=cv2.INTER_AREA)
        seen = self._seen
        unmoved = seen is not None and light is self._light and float(cv2.absdiff(cells, seen).max()) <= LEVELS
        self._still = self._still + 1 if unmoved else 0
        if unmoved and self._still > SETTLE_FRAMES:
            return True
        self._light = light
        if not unmoved:
            self._seen = cells
        return False

    def forget(self) -> None:
        """The next frame counts as new."""
        self._seen, self._light, self._still = None, None, 0
