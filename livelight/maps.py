"""What is done to the network's small maps of gain and offset, compiled: one pass where cv2 would need ten.

A map of three colours is (n, 3 m), the colours of a place one after the other: so each loop runs over plain rows, and
the compiler makes vector instructions of it. To import this module is to compile it (livelight.compiled).
"""

from __future__ import annotations

import numpy as np
from numba import types

from livelight.compiled import compiled, inline, read
from livelight.recombine import BRIGHTENED, REACH

_ZERO, _ONE, _WHITE = np.float32(0), np.float32(1), np.float32(255)
_MEAN, _LEAST = np.float32(1 / 3 / BRIGHTENED), np.float32(1 / BRIGHTENED)

_MAP, _OUT = read(types.float32, 2), types.float32[:, ::1]


@compiled(_MAP, _MAP, _MAP, _OUT)
def moved_toward(new, old, rate, out):  # type: ignore[no-untyped-def]
    """out = old + rate (new - old), all float32 (n, m). Sizes are not checked."""
    n, m = new.shape
    for y in range(n):
        for j in range(m):
            out[y, j] = old[y, j] + rate[y, j] * (new[y, j] - old[y, j])


@inline
def _noise(gain, dark, out):  # type: ignore[no-untyped-def]
    """How much of each place of a row is noise that would be brightened, [0, 1]; gain, out: (3 m,); dark: (m,)."""
    for k in range(dark.size):
        brighter = (gain[3 * k] + gain[3 * k + 1] + gain[3 * k + 2]) * _MEAN - _LEAST
        share = dark[k] * min(max(brighter, _ZERO), _ONE)
        for c in range(3):
            out[3 * k + c] = share


@inline
def _any(values):  # type: ignore[no-untyped-def]
    found = 0
    for k in range(values.size):
        found |= values[k] > _ZERO
    return found != 0


@inline
def _mirrored(at, count):  # type: ignore[no-untyped-def]
    """Place ``at`` of ``count``, mirrored at the edges, which are not doubled (cv2.BORDER_REFLECT_101)."""
    while count > 1 and (at < 0 or at >= count):
        at = -at if at < 0 else 2 * (count - 1) - at
    return at if count > 1 else 0


@inline
def _padded(row, out):  # type: ignore[no-untyped-def]
    """A row (3 m,) with REACH mirrored places on either side, (3 (m + 2 REACH),)."""
    m = row.size // 3
    for k in range(REACH):
        for c in range(3):
            out[3 * k + c] = row[3 * _mirrored(k - REACH, m) + c]
            out[3 * (REACH + m + k) + c] = row[3 * _mirrored(m + k, m) + c]
    for j in range(row.size):
        out[3 * REACH + j] = row[j]


@inline
def _added(x, at, out):  # type: ignore[no-untyped-def]
    """out[j] = x[j] + x[j + at] wherever both are."""
    for j in range(x.size - at):
        out[j] = x[j] + x[j + at]


@inline
def _continued(x, weight, per):  # type: ignore[no-untyped-def]
    """x = near + weight (x - near) in place, near: the sum of x weight over (2 REACH + 1)^2 places, times ``per``.

    All (n, 3 m). Down, a sum moves with the place; across, sums of 1, 2, 4 and 8 places make one of 15.
    """
    n, wide = x.shape
    products, columns = x * weight, np.zeros(wide, np.float32)
    one, two = np.empty(wide + 6 * REACH, np.float32), np.empty(wide + 6 * REACH, np.float32)
    four, eight = two.copy(), two.copy()
    for y in range(-REACH, REACH):
        columns += products[_mirrored(y, n)]
    for y in range(n):
        entering, leaving = products[_mirrored(y + REACH, n)], products[_mirrored(y - REACH, n)]
        for j in range(wide):
            columns[j] += entering[j]
        _padded(columns, one)
        _added(one, 3, two)
        _added(two, 6, four)
        _added(four, 12, eight)
        for j in range(wide):
            near = (eight[j] + four[j + 24] + two[j + 36] + one[j + 42]) * per[y, j]
            x[y, j] = near + weight[y, j] * (x[y, j] - near)
        for j in range(wide):
            columns[j] -= leaving[j]


@compiled(_MAP, _MAP, _MAP, _MAP, read(types.float32, 1), types.float32, _OUT)
def gain_change(gain, dark, weight, per, by, intensity, out):  # type: ignore[no-untyped-def]
    """out = gain by - intensity, calmed in the dark and continued past the person (livelight.recombine).

    Arguments as of ``offset_change``.
    """
    n, wide = gain.shape
    noise = np.zeros(wide, np.float32)
    for y in range(n):
        noise[:] = _ZERO
        if _any(dark[y]):
            _noise(gain[y], dark[y], noise)
        for j in range(wide):
            g = gain[y, j]
            out[y, j] = (g - (g - _ONE) * noise[j]) * by[j] - intensity
    _continued(out, weight, per)


@compiled(_MAP, _MAP, _MAP, _MAP, _MAP, _MAP, read(types.float32, 1), _OUT)
def offset_change(offset, gain, luma, dark, weight, per, by, out):  # type: ignore[no-untyped-def]
    """out = 255 offset by, the noise's grey added, continued past the person.

    float32, sizes are not checked. offset, gain, out: (n, 3 m). luma: (n, m) in [0, 1]; dark: (n, m) in [0, 1], how
    much of a place may be noise. weight: (n, 3 m) in [0, 1], the person, three times; per: (n, 3 m), one over the sum
    of the weights about, three times. by: (3 m,), a colour's factor.
    """
    n, wide = offset.shape
    noise = np.zeros(wide, np.float32)
    for y in range(n):
        for j in range(wide):
            out[y, j] = offset[y, j] * _WHITE * by[j]
        if _any(dark[y]):
            _noise(gain[y], dark[y], noise)
            for k in range(luma.shape[1]):
                for c in range(3):
                    j = 3 * k + c
                    out[y, j] += (gain[y, j] - _ONE) * noise[j] * luma[y, k] * _WHITE * by[j]
    _continued(out, weight, per)
