"""A time written into the picture itself, as big black and white blocks: measures delay through whatever lies between.

A strip along the upper edge holds 48 blocks in two rows: 4 that mark the ends of the scale, 32 of the number (most
significant first) and 12 of a checksum. Blocks are large and grey levels are compared with the strip's own black and
white, so that the number survives H.264 and VP8, scaling, and a change of exposure; a damaged one is refused, not
misread.
"""

from __future__ import annotations

import itertools
import time
import zlib

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

COLUMNS, ROWS = 24, 2
_MARK = (1, 0, 1, 0)
_CHECK_BITS = 12
_LEAST_CONTRAST = 40
"""Grey levels between black and white blocks below which the strip is no barcode."""


def clock_ms() -> int:
    """The monotonic clock in milliseconds, modulo 2^32: the same in all processes of one machine."""
    return int(time.monotonic() * 1e3) & 0xFFFFFFFF


def elapsed_ms(since: int, now: int) -> int:
    """Milliseconds from one reading of ``clock_ms`` to a later one, also across its end."""
    return (now - since) & 0xFFFFFFFF


def strip_height(height: int) -> int:
    """Lines of the strip in a picture of ``height`` lines: an eighth of it."""
    return max(height // 8, 2 * ROWS)


def write_barcode(image: U8, number: int) -> U8:
    """A copy of ``image`` (uint8 (h, w, 3), at least 96 x 32) with ``number`` (0 .. 2^32 - 1) along its upper edge."""
    h, w = image.shape[:2]
    if w < 4 * COLUMNS or h < 32:
        raise ValueError(f"a barcode needs a picture of at least {4 * COLUMNS}x32 pixels, got {w}x{h}")
    blocks = np.array(_bits(number), np.uint8).reshape(ROWS, COLUMNS) * np.uint8(255)
    lines, columns = _edges(strip_height(h), ROWS), _edges(w, COLUMNS)
    marked = image.copy()
    strip = np.repeat(np.repeat(blocks, np.diff(lines), axis=0), np.diff(columns), axis=1)
    marked[: lines[-1]] = strip[..., None]
    return marked


def read_barcode(image: U8) -> int | None:
    """The number in a picture, uint8 (h, w, 3) or (h, w); None where there is none or it is damaged."""
    luma = image if image.ndim == 2 else image[: strip_height(image.shape[0])].mean(axis=2)
    h, w = image.shape[:2]
    if w < 2 * COLUMNS or h < 16:
        return None
    lines, columns = _edges(strip_height(h), ROWS), _edges(w, COLUMNS)
    levels = np.array(
        [
            [_middle(luma[top:bottom, left:right]) for left, right in itertools.pairwise(columns)]
            for top, bottom in itertools.pairwise(lines)
        ]
    ).ravel()
    mark = np.array(_MARK, bool)
    white, black = levels[: len(_MARK)][mark].min(), levels[: len(_MARK)][~mark].max()
    if white - black < _LEAST_CONTRAST:
        return None
    bits = (levels > (white + black) / 2).astype(int).tolist()
    number = _number(bits[len(_MARK) : len(_MARK) + 32])
    return number if _bits(number) == bits else None


def _bits(number: int) -> list[int]:
    """Mark, number and checksum as 48 bits."""
    if not 0 <= number < 1 << 32:
        raise ValueError(f"a barcode holds 0 to 2^32 - 1, got {number}")
    check = zlib.crc32(number.to_bytes(4, "big")) & ((1 << _CHECK_BITS) - 1)
    return [*_MARK, *_as_bits(number, 32), *_as_bits(check, _CHECK_BITS)]


def _as_bits(value: int, count: int) -> list[int]:
    return [value >> k & 1 for k in reversed(range(count))]


def _number(bits: list[int]) -> int:
    return sum(bit << k for k, bit in enumerate(reversed(bits)))


def _edges(length: int, parts: int) -> list[int]:
    """Where ``parts`` equal blocks of a side begin, and where the last ends."""
    return [round(k * length / parts) for k in range(parts + 1)]


def _middle(block: NDArray[np.generic]) -> float:
    """Mean of the inner half of a block: its rim is smeared by codecs and scaling."""
    h, w = block.shape
    return float(block[h // 4 : max(h - h // 4, h // 4 + 1), w // 4 : max(w - w // 4, w // 4 + 1)].mean())
