"""What is done to every pixel of the full frame, compiled by Numba: one pass over it, in tiles that stay in the cache.

A tile is a piece of one row. Small maps are stretched to the frame bilinearly, pixel centres at halves, as cv2.resize
does it: in x once for every row of the map, then in y tile by tile. Each loop runs over one tile, the colours of its
pixels one after the other as in the frame: so the compiler makes vector instructions of it. To import this module is to
compile it (livelight.compiled).
"""

from __future__ import annotations

import numpy as np
from numba import types

from livelight.compiled import compiled, inline, read
from livelight.recombine import MOST_LIGHT

TILE = 128
"""Pixels of a tile."""
WIDE = 3 * TILE

NONE, SOME, ALL = np.uint8(0), np.uint8(1), np.uint8(2)
"""Marks of a tile of alpha: 0 everywhere, neither, 1 everywhere."""

# Unsigned: else each index is asked whether it is negative.
_NEXT, _LAST, _THREE = np.uintp(1), np.uintp(2), np.uintp(3)
_ZERO, _ONE, _WHITE, _MOST = np.float32(0), np.float32(1), np.float32(255), np.float32(MOST_LIGHT)


def tiles_across(width: int) -> int:
    """How many tiles a row of ``width`` pixels has."""
    return -(-width // TILE)


@inline
def _place(at, count, source):  # type: ignore[no-untyped-def]
    """Where pixel ``at`` of ``count`` lies on ``source`` values: after which of them, and by how much."""
    place = min(max((at + 0.5) * source / count - 0.5, 0.0), source - 1.0)
    low = max(min(int(place), source - 2), 0)
    return low, np.float32(place - low)


@inline
def _places(first, width, source, low, high, share):  # type: ignore[no-untyped-def]
    """``_place`` of the pixels of a tile; low, high: uintp (TILE,), share: float32 (TILE,), written."""
    for k in range(TILE):
        before, share[k] = _place(min(first + k, width - 1), width, source)
        low[k], high[k] = before, min(before + 1, source - 1)


@inline
def _stretched(row, low, high, share, out):  # type: ignore[no-untyped-def]
    """A row of a map, float32 (m,), at the places of a tile, as of ``_places``; out: float32 (TILE,)."""
    for k in range(TILE):
        a, b = row[low[k]], row[high[k]]
        out[k] = a + share[k] * (b - a)


@inline
def _stretched3(row, low, high, share, out):  # type: ignore[no-untyped-def]
    """The same of three colours, row: float32 (3 m,), out: float32 (WIDE,)."""
    for k in range(TILE):
        a, b, s, at = _THREE * low[k], _THREE * high[k], share[k], _THREE * np.uintp(k)
        out[at] = row[a] + s * (row[b] - row[a])
        out[at + _NEXT] = row[a + _NEXT] + s * (row[b + _NEXT] - row[a + _NEXT])
        out[at + _LAST] = row[a + _LAST] + s * (row[b + _LAST] - row[a + _LAST])


@inline
def _mark(values):  # type: ignore[no-untyped-def]
    """NONE, SOME or ALL, of float32 (k,) in [0, 1]."""
    some, less = 0, 0
    for k in range(values.size):
        some |= values[k] > _ZERO
        less |= values[k] < _ONE
    return NONE if not some else SOME if less else ALL


@inline
def _tripled(values, out):  # type: ignore[no-untyped-def]
    """Each of float32 (k,) three times: (3 k,)."""
    for k in range(values.size):
        out[3 * k] = values[k]
        out[3 * k + 1] = values[k]
        out[3 * k + 2] = values[k]


@inline
def _luma(frame, k):  # type: ignore[no-untyped-def]
    """Rec.601 luma, 0..255, of pixel ``k`` of uint8 (3 n,) sRGB."""
    red, green, blue = np.float32(frame[3 * k]), np.float32(frame[3 * k + 1]), np.float32(frame[3 * k + 2])
    return np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue


@inline
def _byte(value):  # type: ignore[no-untyped-def]
    return np.uint8(np.int32(np.rint(min(max(value, _ZERO), _WHITE))))


@inline
def _relit(frame, light, above, below, part, out):  # type: ignore[no-untyped-def]
    """One tile of ``relight_rows``; above, below: rows of the maps, a WIDE each of gain and offset."""
    for j in range(out.size):
        gain = above[j] + part * (below[j] - above[j])
        offset = above[WIDE + j] + part * (below[WIDE + j] - above[WIDE + j])
        value = np.float32(frame[j])
        out[j] = _byte(value + light[j] * (value * gain + offset))


@inline
def _before(frame, alpha, above, below, part, out):  # type: ignore[no-untyped-def]
    """One tile of ``relight_before_rows``; above, below: rows, a WIDE each of gain, offset, person and room."""
    for j in range(out.size):
        gain = above[j] + part * (below[j] - above[j])
        offset = above[WIDE + j] + part * (below[WIDE + j] - above[WIDE + j])
        near = above[2 * WIDE + j] + part * (below[2 * WIDE + j] - above[2 * WIDE + j])
        old = above[3 * WIDE + j] + part * (below[3 * WIDE + j] - above[3 * WIDE + j])
        a, room = alpha[j], np.float32(out[j])
        person = min(max(a * np.float32(frame[j]) + (_ONE - a) * (near + a * (near - old)), _ZERO), _WHITE)
        relit = min(max(person + (person * gain + offset), _ZERO), _WHITE)
        out[j] = _byte(room + a * (relit - room))


_FRAME, _MARKS, _MAP = read(types.uint8, 3), read(types.uint8, 2), read(types.float32, 2)
_ROWS, _OUT = (types.intp, types.intp), types.uint8[:, :, ::1]


@compiled(_FRAME, _MAP, _MARKS, _MAP, _MAP, *_ROWS, _OUT)
def relight_rows(frame, light, marks, gain, offset, first, stop, out):  # type: ignore[no-untyped-def]
    """Relight the person in the rows from ``first`` to before ``stop`` of a picture, before their own room.

    frame: uint8 (h, w, 3) sRGB. light: float32 (h, w), marks: uint8 (h, tiles), see ``light_rows``. gain (less 1),
    offset (0..255): float32 (n, 3 m) of any size. out: uint8 (h, w, 3), written in marked tiles: frame + light (frame
    gain + offset). All contiguous; sizes are not checked.
    """
    height, width = light.shape
    n, m = gain.shape[0], gain.shape[1] // 3
    flat, flat_out = frame.reshape(frame.size), out.reshape(out.size)
    low, high, share = np.empty(TILE, np.uintp), np.empty(TILE, np.uintp), np.empty(TILE, np.float32)
    above, below, wide = np.empty(2 * WIDE, np.float32), np.empty(2 * WIDE, np.float32), np.empty(WIDE, np.float32)
    for tile in range(marks.shape[1]):
        x, end = tile * TILE, min(tile * TILE + TILE, width)
        _places(x, width, m, low, high, share)
        # The row of the maps that lies in ``below``; the one before it, in ``above``. What follows is written out in
        # every loop: in an inlined function that takes a tuple of maps it was a quarter to a third slower.
        have = -1
        for y in range(first, stop):
            if not marks[y, tile]:
                continue
            row, part = _place(y, height, n)
            have = max(have, row - 1)
            while have <= row:
                have += 1
                above, below, at = below, above, min(have, n - 1)
                _stretched3(gain[at], low, high, share, below[:WIDE])
                _stretched3(offset[at], low, high, share, below[WIDE:])
            begin, over = 3 * (y * width + x), 3 * (y * width + end)
            if marks[y, tile] == ALL:
                wide[:] = _ONE
            else:
                _tripled(light[y, x:end], wide)
            _relit(flat[begin:over], wide, above, below, part, flat_out[begin:over])


@compiled(_FRAME, _MAP, _MARKS, _MAP, _MAP, _MAP, _MAP, *_ROWS, _OUT)
def relight_before_rows(frame, alpha, marks, gain, offset, person, room, first, stop, out):  # type: ignore[no-untyped-def]
    """The same before another picture, which lies in ``out``.

    alpha: float32 (h, w) in [0, 1]; marks: where there is any of it. person, room: float32 (n, 3 m), 0..255, colours
    of person and old room (livelight.recombine.apart). Else as ``relight_rows``. The old room is taken out of a mixed
    pixel first: what is left, by alpha, is near + alpha (frame - alpha near - (1 - alpha) old), with the colours nearby
    (Forte, ICIP 2021); then it is relit, and stands before the new one by alpha.
    """
    height, width = alpha.shape
    n, m = gain.shape[0], gain.shape[1] // 3
    flat, flat_out = frame.reshape(frame.size), out.reshape(out.size)
    low, high, share = np.empty(TILE, np.uintp), np.empty(TILE, np.uintp), np.empty(TILE, np.float32)
    above, below, wide = np.empty(4 * WIDE, np.float32), np.empty(4 * WIDE, np.float32), np.empty(WIDE, np.float32)
    for tile in range(marks.shape[1]):
        x, end = tile * TILE, min(tile * TILE + TILE, width)
        _places(x, width, m, low, high, share)
        have = -1
        for y in range(first, stop):
            if not marks[y, tile]:
                continue
            row, part = _place(y, height, n)
            have = max(have, row - 1)
            while have <= row:
                have += 1
                above, below, at = below, above, min(have, n - 1)
                _stretched3(gain[at], low, high, share, below[:WIDE])
                _stretched3(offset[at], low, high, share, below[WIDE : 2 * WIDE])
                _stretched3(person[at], low, high, share, below[2 * WIDE : 3 * WIDE])
                _stretched3(room[at], low, high, share, below[3 * WIDE :])
            begin, over = 3 * (y * width + x), 3 * (y * width + end)
            _tripled(alpha[y, x:end], wide)
            _before(flat[begin:over], wide, above, below, part, flat_out[begin:over])


@inline
def _light(frame, alpha, above, below, part, out):  # type: ignore[no-untyped-def]
    """One tile of ``light_rows``; above, below: rows of the room's luma, float32 (TILE,)."""
    for k in range(out.size):
        room, a = above[k] + part * (below[k] - above[k]), alpha[k]
        out[k] = min(max(_ONE - (_ONE - a) * room / max(_luma(frame, k), _ONE), _ZERO), _MOST * a)


@compiled(_FRAME, _MAP, _MAP, *_ROWS, types.float32[:, ::1], types.uint8[:, ::1])
def light_rows(frame, alpha, room, first, stop, out, marks):  # type: ignore[no-untyped-def]
    """Which share of each pixel's light comes from the person: 1 - (1 - alpha) room / luma, in [0, MOST_LIGHT alpha].

    A pixel that a dark sleeve shares with a white wall holds hardly any of the sleeve's light, and alpha would stain
    the wall. In the rows from ``first`` to before ``stop``. frame: uint8 (h, w, 3) sRGB. alpha: float32 (h, w) in
    [0, 1]. room: float32 (n, m) of any size, 0..255, luma behind the person. out: float32 (h, w), written in tiles that
    are marked as SOME: in the others it is as alpha. marks: uint8 (h, tiles), written: the mark of each tile of alpha.
    All contiguous; sizes are not checked.
    """
    height, width = alpha.shape
    n, m = room.shape
    flat = frame.reshape(frame.size)
    low, high, share = np.empty(TILE, np.uintp), np.empty(TILE, np.uintp), np.empty(TILE, np.float32)
    above, below = np.empty(TILE, np.float32), np.empty(TILE, np.float32)
    for tile in range(marks.shape[1]):
        x, end = tile * TILE, min(tile * TILE + TILE, width)
        _places(x, width, m, low, high, share)
        have = -1
        for y in range(first, stop):
            mark = _mark(alpha[y, x:end])
            marks[y, tile] = mark
            if mark != SOME:
                continue
            row, part = _place(y, height, n)
            have = max(have, row - 1)
            while have <= row:
                have += 1
                above, below = below, above
                _stretched(room[min(have, n - 1)], low, high, share, below)
            begin, over = 3 * (y * width + x), 3 * (y * width + end)
            _light(flat[begin:over], alpha[y, x:end], above, below, part, out[y, x:end])


@compiled(_MAP, *_ROWS, types.uint8[:, ::1])
def mark_rows(alpha, first, stop, marks):  # type: ignore[no-untyped-def]
    """The marks of ``light_rows`` alone."""
    width = alpha.shape[1]
    for y in range(first, stop):
        for tile in range(marks.shape[1]):
            marks[y, tile] = _mark(alpha[y, tile * TILE : min(tile * TILE + TILE, width)])


@inline
def _seen(slope, base):  # type: ignore[no-untyped-def]
    """Whether alpha can be above 0 under a stretched row of slope and base, whatever the picture shows there."""
    found = 0
    for k in range(TILE):
        found |= base[k] + _WHITE * max(slope[k], _ZERO) > _ZERO
    return found != 0


@inline
def _alpha(frame, above, below, part, out):  # type: ignore[no-untyped-def]
    """One tile of ``alpha_rows``; above, below: rows of the maps, a TILE each of slope and base."""
    for k in range(out.size):
        slope = above[k] + part * (below[k] - above[k])
        base = above[TILE + k] + part * (below[TILE + k] - above[TILE + k])
        out[k] = min(max(slope * _luma(frame, k) + base, _ZERO), _ONE)


@compiled(_FRAME, _MAP, _MAP, *_ROWS, types.float32[:, ::1])
def alpha_rows(frame, slope, base, first, stop, out):  # type: ignore[no-untyped-def]
    """out = slope * luma + base, in [0, 1], in the rows from ``first`` to before ``stop``.

    frame: uint8 (h, w, 3) sRGB; its luma counts 0..255. slope, base: float32 (n, m), of any size. out: float32 (h, w).
    All contiguous; sizes are not checked.
    """
    height, width = out.shape
    n, m = slope.shape
    flat = frame.reshape(frame.size)
    low, high, share = np.empty(TILE, np.uintp), np.empty(TILE, np.uintp), np.empty(TILE, np.float32)
    above, below = np.empty(2 * TILE, np.float32), np.empty(2 * TILE, np.float32)
    for x in range(0, width, TILE):
        end = min(x + TILE, width)
        _places(x, width, m, low, high, share)
        have, seen_above, seen_below = -1, False, False
        for y in range(first, stop):
            row, part = _place(y, height, n)
            have = max(have, row - 1)
            while have <= row:
                have += 1
                above, below, at = below, above, min(have, n - 1)
                _stretched(slope[at], low, high, share, below[:TILE])
                _stretched(base[at], low, high, share, below[TILE:])
                seen_above, seen_below = seen_below, _seen(below[:TILE], below[TILE:])
            if seen_above or seen_below:
                _alpha(flat[3 * (y * width + x) : 3 * (y * width + end)], above, below, part, out[y, x:end])
            else:
                out[y, x:end] = _ZERO
