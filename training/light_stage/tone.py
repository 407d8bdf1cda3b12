"""Linear light to sRGB code by table: as `livelight.color.linear_to_srgb` to within 1e-5, several times faster."""

import numba
import numpy as np

from livelight.color import linear_to_srgb

STEPS = 4096
TABLE = linear_to_srgb((np.arange(STEPS + 2, dtype=np.float64) / STEPS).astype(np.float32) ** 2)
"""sRGB code over the square root of linear light, evenly spaced; one entry more for interpolation at 1."""


@numba.njit(inline="always")
def srgb_code(table, linear):
    """sRGB code of one linear value, clipped to [0, 1]."""
    if not linear > 0:
        return np.float32(0)
    if linear >= 1:
        return np.float32(1)
    place = np.sqrt(linear) * np.float32(STEPS)
    i = int(place)
    return table[i] + (table[i + 1] - table[i]) * (place - np.float32(i))


@numba.njit(inline="always")
def rolled(linear, shoulder):
    """One linear value with its highlights above 0.6 rolled off; shoulder 0 leaves it."""
    if linear > np.float32(0.6):
        bright = linear - np.float32(0.6)
        return np.float32(0.6) + bright / (np.float32(1) + shoulder * bright / np.float32(0.4))
    return linear


@numba.njit(cache=True)
def _encode(table, linear, shoulder, out):
    for i in range(linear.size):
        out[i] = srgb_code(table, rolled(linear[i], shoulder))


def encode(linear: np.ndarray, shoulder: float = 0.0) -> np.ndarray:
    """Linear light of any shape to sRGB code in [0, 1], float32, with a shoulder above 0.6 if it is not 0."""
    flat = np.ascontiguousarray(linear, np.float32).reshape(-1)
    out = np.empty_like(flat)
    _encode(TABLE, flat, np.float32(shoulder), out)
    return out.reshape(np.shape(linear))
