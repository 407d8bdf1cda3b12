"""From an ordinary 8-bit picture to an estimate of scene light: the inverse tone curve.

A camera clips windows and lamps at white; how bright they were is lost. Values up to KNEE are taken as linear light
as they stand; above it they rise smoothly, and a clipped pixel counts WHITE times what it shows (three stops, between
a bright wall and a sunlit window as measured in HDR panoramas of rooms). The hue stays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livelight.color import srgb8_to_linear

KNEE = 0.7
"""Linear value (sRGB 0.85) up to which a picture is believed."""

WHITE = 8.0
"""Estimated linear radiance of a pixel clipped at 1.0."""


def expanded(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Estimated linear scene radiance float32 (h, w, 3) in [0, WHITE] of a uint8 sRGB RGB picture (h, w, 3).

    L = x (1 + (WHITE - 1) t^2), t = clip((max(x) - KNEE) / (1 - KNEE), 0, 1), x the linear pixel, max over R, G, B.
    """
    linear = srgb8_to_linear(picture)
    t = np.clip((linear.max(axis=-1, keepdims=True) - KNEE) / (1 - KNEE), 0, 1)
    return np.asarray(linear * (1 + (WHITE - 1) * t * t), np.float32)
