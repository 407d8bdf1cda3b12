"""The only sRGB <-> linear code (IEC 61966-2-1), and luminance in Rec.709 primaries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Rec.709 luminance weights of linear R, G, B; they sum to 1."""


def srgb_to_linear(x: NDArray[np.floating]) -> F32:
    """Decode sRGB values in [0, 1], any shape, to linear light in [0, 1], float32."""
    x = np.asarray(x, np.float32)
    return np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0.04045) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear_to_srgb(x: NDArray[np.floating]) -> F32:
    """Encode linear light, any shape, to sRGB in [0, 1], float32. Values outside [0, 1] are clipped."""
    x = np.clip(np.asarray(x, np.float32), 0.0, 1.0)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * np.maximum(x, 0.0031308) ** (1 / 2.4) - 0.055).astype(np.float32)


_DECODE_U8 = srgb_to_linear(np.arange(256, dtype=np.float32) / 255.0)


def srgb8_to_linear(image: NDArray[np.uint8]) -> F32:
    """Decode uint8 sRGB [0, 255], any shape, to linear light in [0, 1], float32, by table."""
    return _DECODE_U8[image]


def linear_to_srgb8(x: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Encode linear light to uint8 sRGB [0, 255], rounded to nearest, clipped."""
    codes: NDArray[np.uint8] = np.rint(linear_to_srgb(x) * 255.0).astype(np.uint8)
    return codes


def luminance(x: NDArray[np.floating]) -> F32:
    """Rec.709 luminance of linear RGB (..., 3) -> (...), same units."""
    return np.asarray(x, np.float32) @ LUMA
