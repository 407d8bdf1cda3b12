"""What is done to every pixel of the full frame, compiled by Numba: one pass over it, in tiles that stay in the cache.

A tile is a piece of one row. Small maps are stretched to the frame bilinearly, pixel centres at halves, as cv2.resize
does it: in x once for every row of the map, then in y tile by tile. Each loop runs over one tile, and all that belongs
to a tile lies at fixed distances: so the compiler makes vector instructions of it.

To import this module is to compile it: seconds the first time, from Numba's cache later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types

from livelight.recombine import MOST_LIGHT

TILE = 128
"""Pixels of a tile: with its maps it takes 14 kB."""

_ZERO, _ONE, _WHITE, _MOST = np.float32(0), np.float32(1), np.float32(255), np.float32(MOST_LIGHT)
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}

_inline = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)


def _read(dtype: Any, ndim: int) -> Any:
    return types.Array(dtype, ndim, "C", readonly=True)  # takes writable ones, too


def _compiled(*arguments: Any) -> Callable[[Any], Any]:
    """Compile for arguments of these types now; every time anew where no folder for a cache can be written to."""

    def compile(function: Any) -> Any:
        try:
            return njit(types.void(*arguments), cache=True, **_OPTIONS)(function)
        except (RuntimeError, OSError):  # no such folder; a full disk
            return njit(types.void(*arguments), **_OPTIONS)(function)

    return compile


@_inline
def _place(at, count, source):  # type: ignore[no-untyped-def]
    """Where pixel ``at`` of ``count`` lies on ``source`` values: after which of them, and by how much."""
    place = min(max((at + 0.5) * source / count - 0.5, 0.0), source - 1.0)
    low = max(min(int(place), source - 2), 0)
    return low, np.float32(place - low)


@_inline
def _places(first, width, source, low, high, share):  # type: ignore[no-untyped-def]
    """``_place`` of the pixels of a tile; low, high: int32 (TILE,), share: float32 (TILE,), written."""
    for k in range(TILE):
        low[k], share[k] = _place(min(first + k, width - 1), width, source)
        high[k] = min(low[k] + 1, source - 1)


@_inline
def _stretched(gain, offset, colours, low, high, share, out):  # type: ignore[no-untyped-def]
    """One row of every map, at the places of a tile; a TILE each: r, g, b of gain, the same of offset, colours.

    gain, offset: float32 (m, 3); colours: float32 (m, 1) or (m, 6); low, high, share: as of ``_places``; out: float32.
    """
    for k in range(TILE):
        a, b, s = low[k], high[k], share[k]
        for c in range(3):
            out[c * TILE + k] = gain[a, c] + s * (gain[b, c] - gain[a, c])
            out[(3 + c) * TILE + k] = offset[a, c] + s * (offset[b, c] - offset[a, c])
    for c in range(colours.shape[1]):
        for k in range(TILE):
            above, below = colours[low[k], c], colours[high[k], c]
            out[(6 + c) * TILE + k] = above + share[k] * (below - above)


@_inline
def _between(above, below, share, out):  # type: ignore[no-untyped-def]
    """out = above + share (below - above), all float32 (k,)."""
    for k in range(above.size):
        out[k] = above[k] + share * (below[k] - above[k])


@_inline
def _any(values):  # type: ignore[no-untyped-def]
    found = 0
    for k in range(values.size):
        found |= values[k] > _ZERO
    return found != 0


@_inline
def _copied(source, out):  # type: ignore[no-untyped-def]
    for k in range(source.size):
        out[k] = source[k]


@_inline
def _luma(red, green, blue):  # type: ignore[no-untyped-def]
    """Rec.601."""
    return np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue


@_inline
def _byte(value):  # type: ignore[no-untyped-def]
    return np.uint8(np.int32(np.rint(min(max(value, _ZERO), _WHITE))))


@_inline
def _own_room(frame, alpha, maps, out):  # type: ignore[no-untyped-def]
    """One tile of ``relight_rows`` before the frame's own room."""
    for k in range(alpha.size):
        red, green, blue = np.float32(frame[3 * k]), np.float32(frame[3 * k + 1]), np.float32(frame[3 * k + 2])
        luma, part = max(_luma(red, green, blue), _ONE), alpha[k]
        light = min(max(_ONE - (_ONE - part) * maps[6 * TILE + k] / luma, _ZERO), _MOST * part)
        out[3 * k] = _byte(red + light * (red * maps[k] + maps[3 * TILE + k]))
        out[3 * k + 1] = _byte(green + light * (green * maps[TILE + k] + maps[4 * TILE + k]))
        out[3 * k + 2] = _byte(blue + light * (blue * maps[2 * TILE + k] + maps[5 * TILE + k]))


@_inline
def _before(frame, behind, part, maps, at):  # type: ignore[no-untyped-def]
    """One value, uint8 sRGB, of a relit person who covers ``part`` of the pixel, before another picture.

    maps: float32, a row as ``_stretched`` writes it; maps[at]: the colour's gain; its offset and the colours of
    person and old room, 0..255, follow every three TILEs. part: float32 in [0, 1].
    """
    near, old, room = maps[at + 6 * TILE], maps[at + 9 * TILE], np.float32(behind)
    person = min(max(part * np.float32(frame) + (_ONE - part) * (near + part * (near - old)), _ZERO), _WHITE)
    relit = min(max(person + (person * maps[at] + maps[at + 3 * TILE]), _ZERO), _WHITE)
    return _byte(room + part * (relit - room))


@_inline
def _new_room(frame, room, alpha, maps, out):  # type: ignore[no-untyped-def]
    """One tile of ``relight_rows`` before another picture."""
    for k in range(alpha.size):
        r, g, b, part = 3 * k, 3 * k + 1, 3 * k + 2, alpha[k]
        out[r] = _before(frame[r], room[r], part, maps, k)
        out[g] = _before(frame[g], room[g], part, maps, TILE + k)
        out[b] = _before(frame[b], room[b], part, maps, 2 * TILE + k)


_FRAME, _MAP, _MAP3 = _read(types.uint8, 3), _read(types.float32, 2), _read(types.float32, 3)


@_compiled(_FRAME, _FRAME, types.boolean, _MAP, _MAP3, _MAP3, _MAP3, types.intp, types.intp, types.uint8[:, :, ::1])
def relight_rows(frame, behind, own, alpha, gain, offset, colours, first, stop, out):  # type: ignore[no-untyped-def]
    """Relight the person in the rows from ``first`` to before ``stop`` of a picture, before what is behind.

    frame: uint8 (h, w, 3) sRGB. behind: the same; if ``own``, the frame itself. alpha: float32 (h, w) in [0, 1]. gain
    (less 1), offset (0..255): float32 (n, m, 3) of any size. colours: float32, 0..255, if ``own`` (n, m, 1), luma
    behind the person, else (n, m, 6), colours of person and old room (livelight.recombine.apart). out: uint8
    (h, w, 3), written in those rows. All contiguous; sizes are not checked.

    The person, relit, is person + person * gain + offset; what is behind shows by alpha. Before the own room each pixel
    is changed by the share of its light that comes from the person, 1 - (1 - alpha) room / luma, in [0, MOST_LIGHT
    alpha]: a pixel that a dark sleeve shares with a white wall holds hardly any of the sleeve's light, and alpha would
    stain the wall. Before another picture the old room is taken out of such a pixel first: what is left, by alpha, is
    near + alpha (frame - alpha near - (1 - alpha) old), with the colours nearby (Forte, ICIP 2021).
    """
    height, width = alpha.shape
    n, m, more = colours.shape
    flat, flat_behind, flat_out = frame.reshape(frame.size), behind.reshape(behind.size), out.reshape(out.size)
    low, high, share = np.empty(TILE, np.int32), np.empty(TILE, np.int32), np.empty(TILE, np.float32)
    maps = np.empty((6 + more) * TILE, np.float32)
    above, below = maps.copy(), maps.copy()
    for x in range(0, width, TILE):
        end = min(x + TILE, width)
        _places(x, width, m, low, high, share)
        have = -1  # the row of the maps that lies in ``below``; the one before it, in ``above``
        for y in range(first, stop):
            begin, over = 3 * (y * width + x), 3 * (y * width + end)
            if not _any(alpha[y, x:end]):
                _copied(flat_behind[begin:over], flat_out[begin:over])
                continue
            row, part = _place(y, height, n)
            have = max(have, row - 1)
            while have <= row:
                have += 1
                above, below, at = below, above, min(have, n - 1)
                _stretched(gain[at], offset[at], colours[at], low, high, share, below)
            _between(above, below, part, maps)
            if own:
                _own_room(flat[begin:over], alpha[y, x:end], maps, flat_out[begin:over])
            else:
                _new_room(flat[begin:over], flat_behind[begin:over], alpha[y, x:end], maps, flat_out[begin:over])


@_inline
def _stretched_fit(slope, base, low, high, share, out):  # type: ignore[no-untyped-def]
    """One row of slope and base, float32 (m,), at the places of a tile; out: a TILE of each."""
    for k in range(TILE):
        a, b, s = low[k], high[k], share[k]
        out[k] = slope[a] + s * (slope[b] - slope[a])
        out[TILE + k] = base[a] + s * (base[b] - base[a])


@_inline
def _seen(fit):  # type: ignore[no-untyped-def]
    """Whether alpha can be above 0 under a stretched row of slope and base, whatever the picture shows there."""
    found = 0
    for k in range(TILE):
        found |= fit[TILE + k] + _WHITE * max(fit[k], _ZERO) > _ZERO
    return found != 0


@_inline
def _alpha(frame, fit, out):  # type: ignore[no-untyped-def]
    """One tile of ``alpha_rows``. frame: uint8 (3 k,) sRGB; fit: as of ``_stretched_fit``; out: float32 (k,)."""
    for k in range(out.size):
        luma = _luma(np.float32(frame[3 * k]), np.float32(frame[3 * k + 1]), np.float32(frame[3 * k + 2]))
        out[k] = min(max(fit[k] * luma + fit[TILE + k], _ZERO), _ONE)


@_compiled(_FRAME, _MAP, _MAP, types.intp, types.intp, types.float32[:, ::1])
def alpha_rows(frame, slope, base, first, stop, out):  # type: ignore[no-untyped-def]
    """out = slope * luma + base, in [0, 1], in the rows from ``first`` to before ``stop``.

    frame: uint8 (h, w, 3) sRGB; its luma counts 0..255. slope, base: float32 (n, m), of any size. out: float32 (h, w).
    All contiguous; sizes are not checked.
    """
    height, width = out.shape
    n, m = slope.shape
    flat = frame.reshape(frame.size)
    low, high, share = np.empty(TILE, np.int32), np.empty(TILE, np.int32), np.empty(TILE, np.float32)
    fit = np.empty(2 * TILE, np.float32)
    above, below = fit.copy(), fit.copy()
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
                _stretched_fit(slope[at], base[at], low, high, share, below)
                seen_above, seen_below = seen_below, _seen(below)
            if seen_above or seen_below:
                _between(above, below, part, fit)
                _alpha(flat[3 * (y * width + x) : 3 * (y * width + end)], fit, out[y, x:end])
            else:
                out[y, x:end] = _ZERO
