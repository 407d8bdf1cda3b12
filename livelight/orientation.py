"""The eight ways a camera can be held: mirrored or not, in quarter turns, as a video's display matrix says."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ONE = 1 << 16  # 16.16 fixed point


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pixels are shown: first transposed (rows become columns), then flipped."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_display_matrix(cls, data: bytes) -> Orientation:
        """From FFmpeg's DISPLAYMATRIX: nine int32 a b u c d v x y w, shown x' = a x + c y, y' = b x + d y.

        A turn that is no multiple of 90 degrees is taken to the nearest one.
        """
        a, b, _, c, d = (value / _ONE for value in struct.unpack("=9i", data[:36])[:5])
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture (h, w, 3) as shown; C-contiguous, the same array where nothing is to be done."""
        if self.transpose:
            image = image.transpose(1, 0, 2)
        if self.flip_x:
            image = image[:, ::-1]
        if self.flip_y:
            image = image[::-1]
        return np.ascontiguousarray(image)
