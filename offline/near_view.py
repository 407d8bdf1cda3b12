"""A look at the head from nearby: a face in the picture of a whole frame has a few dozen pixels, its nose hardly any.

The square about it (livelight.heads) is shown to the base by itself, taken from the frame at its full size. How bright
and of which colour it is as a whole is left to the looks at the whole picture, which see more of the light.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.heads import HeadTrack
from livelight.runtimes import Runtime
from offline.denoiser import F32
from offline.level import level
from offline.views import PLAIN, Seen

SIDE = 160
"""Pixels of the base's picture of the square, each way."""
FROM, ALL = 1.25, 3.0
"""How many times as finely the square must be seen from nearby for that to count at all, and for it to count alone."""
EDGE = 0.2
"""Part of the square's side over which that weight falls to nothing."""


class NearView:
    """The base's answers to the square about the head, over a clip's frames in their order."""

    def __init__(self, base: Runtime) -> None:
        self._base, self._track = base, HeadTrack()
        self._seen: list[Seen] = []

    def at(self, frame: NDArray[np.uint8], matte: F32, light: F32, whole: F32) -> F32:
        """What is to be added to the answer from the whole picture, float32 (3, h, w).

        frame: uint8 (H, W, 3) sRGB. matte: float32 (h, w) in [0, 1]. light: (16, 16, 3) linear. whole: that answer's
        change of the picture's level (offline.level), float32 (3, h, w).
        """
        added = np.zeros_like(whole)
        if self._track.follow(matte):
            self._seen = [Seen(self._base, view) for view in PLAIN]
        if self._track.square is None:
            return added
        left, top, side = self._track.square.whole(*matte.shape)
        share = (SIDE / (2 * side) - FROM) / (ALL - FROM)
        if share <= 0:
            return added
        rows, columns = slice(top, top + side), slice(left, left + side)
        picture = cut_out(frame, rows, columns, matte.shape)
        before = level(picture.astype(np.float32) / np.float32(255))
        change = sum(seen.at(picture, light) for seen in self._seen) / np.float32(len(self._seen)) - before
        small = cv2.resize(change.transpose(1, 2, 0), (side, side), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
        added[:, rows, columns] = nearer(small, whole[:, rows, columns], matte[rows, columns], min(share, 1.0))
        return added


def cut_out(frame: NDArray[np.uint8], rows: slice, columns: slice, grid: tuple[int, ...]) -> NDArray[np.uint8]:
    """Rows and columns of a grid (h, w) over a frame uint8 (H, W, 3), as a picture of SIDE x SIDE."""
    part = []
    for cells, size, pixels in zip((rows, columns), grid, frame.shape, strict=False):
        part.append(slice(round(cells.start * pixels / size), round(cells.stop * pixels / size)))
    cut = frame[part[0], part[1]]
    shrinks = min(cut.shape[:2]) >= SIDE
    return np.asarray(cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def nearer(near: F32, whole: F32, matte: F32, share: float) -> F32:
    """Bring a square's change of level part of the way from ``whole`` to ``near``, but for its mean on the person.

    near, whole: float32 (3, s, s). matte: float32 (s, s) in [0, 1]. share: how far in the square's middle. Returns what
    to add, float32 (3, s, s).
    """
    side = matte.shape[0]
    ramp = np.clip((np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5) / (EDGE * side), 0, 1)
    weight = (ramp[:, None] * ramp[None, :]).astype(np.float32)
    apart = near - whole
    counted = weight * matte
    apart = apart - (apart * counted).sum((1, 2), keepdims=True) / (counted.sum() + np.float32(1e-3))
    return np.asarray(np.float32(share) * weight * apart, np.float32)
