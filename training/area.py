"""Bring stacks of square pictures to the network's size, many channels at once."""

from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


@lru_cache(maxsize=256)
def _weights(side: int, out: int) -> tuple[NDArray[np.int64], F32]:
    """First source index (out,) and weights (out, taps) of each output pixel; first + taps never leaves the source.

    By area for fewer pixels than there are, between the two nearest for more.
    """
    if side < out:
        at = np.clip((np.arange(out) + 0.5) * (side / out) - 0.5, 0, side - 1)
        near = np.minimum(at.astype(np.int64), side - 2)
        return near, np.stack([near + 1 - at, at - near], 1).astype(np.float32)
    edge = np.arange(out + 1) * (side / out)
    taps = min(-(-side // out) + 1, side)
    first = np.clip(np.floor(edge[:-1] + 1e-9), 0, side - taps).astype(np.int64)
    cell = first[:, None] + np.arange(taps)
    cover = np.maximum(np.minimum(cell + 1, edge[1:, None]) - np.maximum(cell, edge[:-1, None]), 0)
    return first, (cover / cover.sum(1, keepdims=True)).astype(np.float32)


@numba.njit(cache=True, fastmath=True)
def _blend(source, weight, fresh, to):
    """to = or += weight * source, along memory so that it vectorises."""
    if fresh:
        for i in range(to.size):
            to[i] = weight * source[i]
    else:
        for i in range(to.size):
            to[i] += weight * source[i]


@numba.njit(cache=True, fastmath=True)
def _resize(lines, first, weights, flip, out):
    """lines (t, side, side * c): vertically, then horizontally, then to one plane a channel."""
    frames, _, length = lines.shape
    channels, size, taps = out.shape[1], out.shape[2], weights.shape[1]
    line = np.empty(length, np.float32)
    short = np.empty((size, channels), np.float32)
    for t in range(frames):
        for row in range(size):
            for k in range(taps):
                _blend(lines[t, first[row] + k], weights[row, k], k == 0, line)
            for column in range(size):
                start = first[column] * channels
                to = short[size - 1 - column if flip else column]
                for k in range(taps):
                    begin = start + k * channels
                    _blend(line[begin : begin + channels], weights[column, k], k == 0, to)
            for c in range(channels):
                plane = out[t, c, row]
                for column in range(size):
                    plane[column] = short[column, c]


def resized(pictures: F32, size: int, flip: bool = False) -> F32:
    """(t, side, side, c) pictures brought to (t, c, size, size), turned left to right if `flip`; side at least 2."""
    t, side, _, channels = pictures.shape
    first, weights = _weights(side, size)
    out = np.empty((t, channels, size, size), np.float32)
    lines = np.ascontiguousarray(pictures, np.float32).reshape(t, side, side * channels)
    _resize(lines, first, weights, flip, out)
    return out
