"""Full resolution from the network's small picture: its light, the source's detail.

Diffusion at 512 lines through a VAE softens skin and hair. What the network adds is light, which is smooth but for
shadow edges; what it loses is detail, which the source has. So the low frequencies come from the network and the high
ones from the source, scaled by how much contrast the new light gives them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

BASE_SIGMA = 2.0
"""Pixels of the network's picture: finer than this is detail."""

CONTRAST_SIGMA = 4.0
"""Pixels of the network's picture over which the change of contrast is measured."""


def at_full_resolution(frame: U8, source: U8, relit: U8, matte: F32, detail: float) -> F32:
    """The relit person at the frame's resolution, to be put before a room by their matte.

    frame: uint8 (h, w, 3) sRGB. source, relit: uint8 (n, m, 3) sRGB, what the network saw and made. matte: float32
    (n, m) in [0, 1]; means are taken over the person alone, so that neither the old room nor the network's own bleeds
    into their edge. detail: 1 takes all fine detail from the frame, 0 all from the network. Returns float32 (h, w, 3),
    sRGB-coded, 0..255, not clipped; if relit equals source it is the frame.
    """
    small, made = source.astype(np.float32), relit.astype(np.float32)
    weight = matte * matte + np.float32(1e-3)
    base, base_made = _mean(small, weight, BASE_SIGMA), _mean(made, weight, BASE_SIGMA)
    contrast = _contrast(small, made, weight)
    size = (frame.shape[1], frame.shape[0])

    def full(x: F32) -> F32:
        return np.asarray(cv2.resize(x, size, interpolation=cv2.INTER_LINEAR), np.float32)

    fine = frame.astype(np.float32)
    result = fine + full(base_made - base)
    gain = full(contrast)
    fine -= full(base)
    result += (gain * np.float32(detail) - 1) * fine
    if detail < 1:
        result += np.float32(1 - detail) * full(made - base_made)
    return result


def _mean(x: F32, weight: F32, sigma: float) -> F32:
    """Local mean of (n, m, 3) under weights (n, m)."""
    total = cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(cv2.GaussianBlur(x * weight[..., None], (0, 0), sigma) / total[..., None], np.float32)


def _contrast(source: F32, made: F32, weight: F32) -> F32:
    """Factor (n, m, 3) from the source's local contrast to the new one: least squares, and where there is no contrast
    to compare, the ratio of the local means; in [0.3, 3]."""
    mean, mean_made = _mean(source, weight, CONTRAST_SIGMA), _mean(made, weight, CONTRAST_SIGMA)
    variance = _mean(source * source, weight, CONTRAST_SIGMA) - mean * mean
    covariance = _mean(source * made, weight, CONTRAST_SIGMA) - mean * mean_made
    ratio = (mean_made + 4) / (mean + 4)
    doubt = np.float32(25.0)  # (5 levels)^2: below this, noise
    return np.clip((covariance + doubt * ratio) / (np.maximum(variance, 0) + doubt), 0.3, 3.0).astype(np.float32)
