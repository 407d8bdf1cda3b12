"""Hair: which way its strands run, how strands mirror light, and the stray strands around it.

A strand is a cylinder: it mirrors light into a cone around itself, twice: off its surface (white, narrow) and, after
passing through it, off its far wall (in the hair's colour, wider, moved towards the tip). Lobes after Marschner 2003,
with Karis's (2016) fits.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from training.light_stage import assets

F0 = 0.046
TILT = 0.09  # of the cuticle's scales, radians
WIDTH_SURFACE, WIDTH_INNER = 0.17, 0.34


def orientation(grey: np.ndarray) -> np.ndarray:
    """(h, w, 2) float32 cosine and sine of twice the angle of the strands drawn in a picture (u right, v up)."""
    gx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    gy = -cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    sigma = grey.shape[0] / 160
    xx, yy, xy = (cv2.GaussianBlur(p, (0, 0), sigma) for p in (gx * gx, gy * gy, gx * gy))
    # strands run across the gradient: turn by 90 degrees, which negates the double angle's cosine and sine
    double = np.stack([yy - xx, -2 * xy], axis=-1)
    return (double / np.maximum(np.linalg.norm(double, axis=-1, keepdims=True), 1e-9)).astype(np.float32)


def along(double: np.ndarray) -> np.ndarray:
    """(..., 2) unit directions of doubled angles (..., 2), pointing to the right half."""
    angle = 0.5 * np.arctan2(double[..., 1], double[..., 0])
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)


def combed(noise: np.ndarray, double: np.ndarray, reach: int) -> np.ndarray:
    """Noise (h, w) smeared `reach` texels both ways along the strands (line integral convolution), unit deviation."""
    h, w = noise.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    total = noise.copy()
    for sign in (1, -1):
        px, py = x.copy(), y.copy()
        heading = along(double) * sign
        for _ in range(reach):
            px, py = px + heading[..., 0], py - heading[..., 1]
            total += cv2.remap(noise, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            turned = along(cv2.remap(double, px, py, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT))
            heading = turned * np.sign((turned * heading).sum(-1, keepdims=True) + 1e-9)
    total -= total.mean()
    return total / max(float(total.std()), 1e-6)


@lru_cache(maxsize=16)
def strands(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(double angles (512, 512, 2), combed noise (512, 512)) of a hair texture; the same for every person."""
    image = assets.load_texture(path, 512)
    double = orientation(np.sqrt(image[..., :3].mean(-1)) * image[..., 3])
    noise = np.random.default_rng(5).standard_normal(image.shape[:2]).astype(np.float32)
    return double, combed(noise, double, 14)


def strand_map(path: Path) -> np.ndarray:
    """(512, 512, 3) float32: doubled angle of the strands and their random tilt, for a material."""
    double, noise = strands(path)
    return np.dstack([double, 0.07 * np.clip(noise, -2.5, 2.5)]).astype(np.float32)


def _lobe(x: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-0.5 * (x / width) ** 2) / (np.sqrt(2 * np.pi) * width)


def mirrored(
    strand: np.ndarray, tilt: np.ndarray, view: np.ndarray, light: np.ndarray, albedo: np.ndarray
) -> np.ndarray:
    """(n, 3) radiance per unit irradiance that strands mirror to the viewer.

    strand (n, 3) unit, from root to tip; tilt (n,) radians; view, light (n, 3) unit; albedo (n, 3) linear.
    """
    sin_l, sin_v = (strand * light).sum(-1), (strand * view).sum(-1)
    across_l, across_v = light - sin_l[:, None] * strand, view - sin_v[:, None] * strand
    norm = np.linalg.norm(across_l, axis=-1) * np.linalg.norm(across_v, axis=-1)
    cos_phi = np.clip((across_l * across_v).sum(-1) / np.maximum(norm, 1e-4), -1, 1)
    half = np.sqrt(np.clip(0.5 + 0.5 * (view * light).sum(-1), 0, 1))
    surface = F0 + (1 - F0) * (1 - half) ** 5
    first = _lobe(sin_l + sin_v + 2 * (TILT + tilt), WIDTH_SURFACE) * 0.25 * np.sqrt(0.5 + 0.5 * cos_phi) * surface
    inner = _lobe(sin_l + sin_v - 3 * (TILT + tilt), WIDTH_INNER) * np.exp(17 * cos_phi - 16.78)
    inner = inner * F0 * (1 - F0) ** 2
    cosine = np.sqrt(np.clip(1 - sin_l**2, 0, 1))
    return (cosine[:, None] * (first[:, None] + inner[:, None] * np.sqrt(albedo))).astype(np.float32)
