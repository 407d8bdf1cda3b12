"""Directions of the 16 x 16 lat-long light basis, in the camera frame of DESIGN.md.

Camera frame: right-handed, +x image right, +y up, +z from the person to the camera.
direction(u, v) = (sin(pi v) sin p, cos(pi v), -sin(pi v) cos p), p = 2 pi (u - 0.5); row 0 is up.
"""

from functools import lru_cache

import numpy as np

BASIS = 16  # NVPR's light code is 16 x 16 x 3
LIGHTS = BASIS * BASIS


def direction(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Unit directions (..., 3) in the camera frame for lat-long coordinates u, v in [0, 1)."""
    p = 2 * np.pi * (np.asarray(u) - 0.5)
    s = np.sin(np.pi * np.asarray(v))
    return np.stack([s * np.sin(p), np.cos(np.pi * np.asarray(v)) + 0 * p, -s * np.cos(p)], axis=-1)


def latlong(directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lat-long (u, v), each in [0, 1), of directions (..., 3); the inverse of `direction`."""
    d = directions / np.maximum(np.linalg.norm(directions, axis=-1, keepdims=True), 1e-9)
    u = np.arctan2(d[..., 0], -d[..., 2]) / (2 * np.pi) + 0.5
    v = np.arccos(np.clip(d[..., 1], -1, 1)) / np.pi
    return np.mod(u, 1.0), np.clip(v, 0, 1 - 1e-7)


def solid_angles(height: int, width: int) -> np.ndarray:
    """Exact solid angle (height, width) in sr of each lat-long cell; sums to 4 pi."""
    edges = np.cos(np.pi * np.arange(height + 1) / height)
    return np.repeat(((edges[:-1] - edges[1:]) * 2 * np.pi / width)[:, None], width, axis=1)


@lru_cache(maxsize=4)
def form_vectors(height: int = BASIS, width: int = BASIS) -> np.ndarray:
    """(height * width, 3) integrals of direction over each cell, so n . w is the cell's cosine-weighted solid
    angle, exact for cells wholly above the horizon of n (Lambert's formula)."""
    sub = 16
    u = (np.arange(width * sub) + 0.5) / (width * sub)
    v = (np.arange(height * sub) + 0.5) / (height * sub)
    d = direction(*np.meshgrid(u, v)) * solid_angles(height * sub, width * sub)[..., None]
    return d.reshape(height, sub, width, sub, 3).sum((1, 3)).reshape(-1, 3).astype(np.float32)


@lru_cache(maxsize=1)
def shadow_directions() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions that visibility is sampled in: finer near the equator, where cells are large.

    Returns (directions (m, 3) float32, light index (m,) int32, weight (m,) float32); weights sum to 1 per light.
    """
    directions, index, weight = [], [], []
    for row in range(BASIS):
        polar = min(row, BASIS - 1 - row)
        rows, columns = (1, 1) if polar < 2 else (2, 1) if polar < 4 else (2, 2)
        for column in range(BASIS):
            for i in range(rows):
                for j in range(columns):
                    u = (column + (j + 0.5) / columns) / BASIS
                    v = (row + (i + 0.5) / rows) / BASIS
                    directions.append(direction(np.float64(u), np.float64(v)))
                    index.append(row * BASIS + column)
                    weight.append(1 / (rows * columns))
    return np.float32(directions), np.int32(index), np.float32(weight)


@lru_cache(maxsize=8)
def prefilter(roughness: float, height: int = 32, width: int = 64) -> np.ndarray:
    """(height * width, 256) float32: row i averages a light code over a glossy lobe about direction i.

    The lobe is a Phong-like cos^n fitted to GGX of this roughness (n = 2 / alpha^2 - 2 about the half vector, a
    quarter of it about the reflection), a hemisphere at roughness 1; each row sums to 1, so a uniform unit environment
    reflects as 1.
    """
    alpha = max(roughness, 0.12) ** 2
    power = (2 / alpha**2 - 2) / 4
    u, v = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    sub = 4
    su, sv = np.meshgrid((np.arange(BASIS * sub) + 0.5) / (BASIS * sub), (np.arange(BASIS * sub) + 0.5) / (BASIS * sub))
    source = direction(su, sv).reshape(-1, 3)
    cosine = direction(u, v).reshape(-1, 3) @ source.T
    lobe = np.exp(np.maximum(power * np.log(np.clip(cosine, 1e-6, 1)), -60)) * (cosine > 0)
    lobe *= solid_angles(BASIS * sub, BASIS * sub).reshape(-1)
    lobe = lobe.reshape(-1, BASIS, sub, BASIS, sub).sum((2, 4)).reshape(height * width, LIGHTS)
    return (lobe / np.maximum(lobe.sum(1, keepdims=True), 1e-20)).astype(np.float32)
