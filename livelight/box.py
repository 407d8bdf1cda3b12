"""Boxes of a picture: where somebody is, so that nothing is computed where nobody is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, slice]
"""Rows and columns of a picture, start and stop stated."""


def span(values: NDArray[np.float32]) -> slice | None:
    """From the first to the last value (n,) above 0; None if there is none."""
    found = (values > 0).nonzero()[0]
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else None


def around(covers: list[Box], shape: tuple[int, ...], other: tuple[int, ...]) -> tuple[Box, Box]:
    """A box of a picture that holds all ``covers``, and the very same box of another grid over the whole picture.

    shape, other: of both grids, (h, w) or more. covers: one at least. Bilinear interpolation inside them, from one grid
    to the other, needs nothing from outside the boxes.
    """
    pairs = []
    for axis in (0, 1):
        unit = math.gcd(shape[axis], other[axis])
        step = shape[axis] // unit, other[axis] // unit
        first = max(min(cover[axis].start for cover in covers) // step[0] - 1, 0)
        last = min(-(-max(cover[axis].stop for cover in covers) // step[0]) + 1, unit)
        pairs.append([slice(first * s, last * s) for s in step])
    rows, columns = pairs
    return (rows[0], columns[0]), (rows[1], columns[1])


def grown(box: Box, by: int, shape: tuple[int, ...]) -> Box:
    """A box wider by so many pixels on each side, but not beyond a picture of ``shape``."""
    rows, columns = (slice(max(s.start - by, 0), min(s.stop + by, n)) for s, n in zip(box, shape, strict=False))
    return rows, columns


def inside(box: Box, outer: Box) -> Box:
    """Where a box lies in a picture that was cut out at ``outer``."""
    rows, columns = (slice(s.start - o.start, s.stop - o.start) for s, o in zip(box, outer, strict=True))
    return rows, columns
