"""Full-resolution pictures that are used again for every frame: a fresh one costs more in page faults than its sums."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class Scratch:
    """float32 arrays by name. What lies in one is lost at the next ``picture`` of that name.

    Threads may share it if no two use one name.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[np.float32]] = {}

    def picture(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A contiguous array of this shape with whatever it held before; it grows, and does not shrink."""
        size = math.prod(shape)
        array = self._arrays.get(name)
        if array is None or array.size < size:
            array = self._arrays[name] = np.empty(size, np.float32)
        return array[:size].reshape(shape)
