"""A moving test picture: the shipped fake for tests, benchmarks and machines without a camera."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from livelight.frame import Frame

_SKIN = np.array([196, 148, 122], np.float32)
_SHIRT = np.array([60, 80, 130], np.float32)


class SyntheticSource:
    """A head and shoulders sway before a gradient (Source). The same arguments give the same pixels, on any machine.

    The person is lit from the left, so that a relighter has something to change. frame_count None never ends.
    """

    live = False

    def __init__(
        self,
        width: int = 320,
        height: int = 240,
        rate: Fraction | int = 30,
        frame_count: int | None = 60,
        start_pts: int = 0,
    ) -> None:
        self.width, self.height = width, height
        self.rate = Fraction(rate)
        self.frame_count = frame_count
        self._start_pts = start_pts
        self._y, self._x = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
        self._background = self._gradient()

    def _gradient(self) -> NDArray[np.float32]:
        across, down = self._x / self.width, self._y / self.height
        return np.stack([60 + 90 * across, 70 + 60 * down, 120 - 60 * across], axis=-1)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Picture number ``index``: uint8 (h, w, 3) sRGB."""
        short = min(self.width, self.height)
        sway = 0.08 * short * np.sin(2 * np.pi * index / 60)
        centre_x, centre_y = self.width / 2 + sway, self.height * 0.42
        across, down = (self._x - centre_x) / (0.2 * short), (self._y - centre_y) / (0.26 * short)
        head = across**2 + down**2 < 1
        body = (across / 2.2) ** 2 + ((down - 3.2) / 2) ** 2 < 1
        light = np.clip(0.75 - 0.35 * across, 0.3, 1.1)[..., None]
        image = np.where(body[..., None], _SHIRT * light, self._background)
        image = np.where(head[..., None], _SKIN * light, image)
        return np.clip(np.rint(image), 0, 255).astype(np.uint8)

    def __iter__(self) -> Iterator[Frame]:
        time_base = 1 / self.rate
        index = 0
        while self.frame_count is None or index < self.frame_count:
            yield Frame(self.image(index), self._start_pts + index, time_base, time.monotonic())
            index += 1

    def close(self) -> None:
        pass
