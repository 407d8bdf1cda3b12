"""How far two pictures are apart, on the portrait alone. Pictures are float32 (h, w, 3), sRGB-coded in [0, 1]."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.color import LUMA, linear_to_srgb, srgb_to_linear

F32 = NDArray[np.float32]


def rmse(a: F32, b: F32, mask: F32) -> float:
    """Root mean square error where mask (h, w) in [0, 1] says."""
    return float(np.sqrt(((a - b) ** 2 * mask[..., None]).sum() / (3 * mask.sum())))


def psnr(a: F32, b: F32, mask: F32) -> float:
    """Peak signal to noise ratio in dB, peak 1, where mask says; 99 for equal pictures."""
    error = rmse(a, b, mask)
    return 99.0 if error < 1e-5 else float(-20 * np.log10(error))


def ssim(a: F32, b: F32, mask: F32) -> float:
    """Structural similarity (Wang et al. 2004: Gaussian window, sigma 1.5), averaged where mask says."""

    def mean(x: F32) -> F32:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5))

    c1, c2 = 0.01**2, 0.03**2
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    value = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return float((value.mean(2) * mask).sum() / mask.sum())


def scale_invariant(a: F32, b: F32, mask: F32) -> F32:
    """``a`` times the one linear-light gain that brings it closest to ``b`` on the mask, sRGB-coded again."""
    la, lb = srgb_to_linear(a), srgb_to_linear(b)
    weight = mask[..., None]
    gain = (la * lb * weight).sum() / max(float((la * la * weight).sum()), 1e-9)
    return linear_to_srgb(la * np.float32(gain))


def detail_correlation(source: F32, output: F32, mask: F32) -> float:
    """Correlation of the high-pass luminance of two pictures where mask says: 1 = every pore is kept.

    NaN where one of them has none, as a black picture, or the mask is empty.
    """

    def high(x: F32) -> F32:
        y = x @ LUMA
        return np.asarray(y - cv2.GaussianBlur(y, (0, 0), 2.0))

    inside = mask > 0.95
    if not inside.any():
        return float("nan")
    a, b = (high(x)[inside] for x in (source, output))
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-6 and b.std() > 1e-6 else float("nan")


def warped(image: F32, flow: F32) -> F32:
    """``image`` (h, w, 3) fetched at each pixel + flow (h, w, 2), pixels, x right, y down; borders repeat."""
    h, w = flow.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return np.asarray(
        cv2.remap(image, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    )


def warp_error(before: F32, after: F32, flow_bwd: F32, seen: F32) -> float:
    """RMSE of ``after`` (h, w, 3) against ``before`` fetched along flow_bwd (h, w, 2) pixels, where seen (h, w)."""
    return rmse(warped(before, flow_bwd), after, (seen > 0.99).astype(np.float32) + np.float32(1e-9))
