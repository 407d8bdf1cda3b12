"""Glossy reflection: what a pixel needs to mirror any environment, and exact highlights of hard lights (GGX)."""

from functools import lru_cache

import numpy as np

from training.light_stage.directions import latlong, prefilter

ATLAS_ROUGHNESS = (0.12, 0.25, 0.4, 0.6)
LEVEL_HEIGHT, LEVEL_WIDTH, PAD = 32, 64, 1


@lru_cache(maxsize=1)
def atlas_matrix() -> np.ndarray:
    """(levels * 34 * 66, 256) float32: light code -> atlas of pre-blurred environments, one level per roughness,
    padded by a texel (wrapping left and right) so bilinear lookup needs no special case."""
    levels = []
    for roughness in ATLAS_ROUGHNESS:
        level = prefilter(roughness).reshape(LEVEL_HEIGHT, LEVEL_WIDTH, -1)
        level = np.pad(level, ((PAD, PAD), (0, 0), (0, 0)), mode="edge")
        levels.append(np.pad(level, ((0, 0), (PAD, PAD), (0, 0)), mode="wrap"))
    return np.concatenate(levels).reshape(-1, 256).astype(np.float32)


def atlas(light_code: np.ndarray) -> np.ndarray:
    """(levels * 34, 66, 3) float32 pre-blurred environment of a (16, 16, 3) linear light code."""
    flat = atlas_matrix() @ np.asarray(light_code, np.float32).reshape(-1, 3)
    return flat.reshape(len(ATLAS_ROUGHNESS) * (LEVEL_HEIGHT + 2 * PAD), LEVEL_WIDTH + 2 * PAD, 3)


def atlases(codes: np.ndarray) -> np.ndarray:
    """(k, levels * 34, 66, 3) float32: `atlas` of k codes (k, 256, 3), in one pass over the matrix."""
    flat = atlas_matrix() @ np.moveaxis(codes, 1, 0).reshape(256, -1)
    shape = (len(ATLAS_ROUGHNESS) * (LEVEL_HEIGHT + 2 * PAD), LEVEL_WIDTH + 2 * PAD, len(codes), 3)
    return np.ascontiguousarray(np.moveaxis(flat.reshape(shape), 2, 0))


def atlas_coordinates(reflection: np.ndarray, roughness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where to look in the atlas: (n, 3) float32 (x, y of the sharper level, y of the blurrier), mix (n,) in [0, 1].

    x, y are in atlas texels, centres at integers.
    """
    u, v = latlong(reflection.astype(np.float32))
    level = np.interp(roughness, ATLAS_ROUGHNESS, np.arange(len(ATLAS_ROUGHNESS)))
    low = np.minimum(level.astype(int), len(ATLAS_ROUGHNESS) - 2)
    x = u * LEVEL_WIDTH - 0.5 + PAD
    y = v * LEVEL_HEIGHT - 0.5 + PAD + low * (LEVEL_HEIGHT + 2 * PAD)
    return np.stack([x, y, y + LEVEL_HEIGHT + 2 * PAD], axis=-1).astype(np.float32), (level - low).astype(np.float32)


def fresnel(cosine: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """Schlick's Fresnel reflectance."""
    return f0 + (1 - f0) * np.clip(1 - cosine, 0, 1) ** 5


def _smith(cosine: np.ndarray, alpha2: np.ndarray) -> np.ndarray:
    """Smith's masking of one direction for GGX."""
    return 2 * cosine / np.maximum(cosine + np.sqrt(alpha2 + (1 - alpha2) * cosine**2), 1e-6)


@lru_cache(maxsize=1)
def _coat_table(cosines: int = 33, roughnesses: int = 17, samples: int = 1024) -> np.ndarray:
    """(roughnesses, cosines, 2) float32: share of a uniform environment that a GGX coat mirrors is f0 * a + b."""
    u = (np.arange(samples) + 0.5) / samples
    v = np.mod(np.arange(samples) * 0.6180339887, 1.0)
    nv = np.maximum(np.linspace(0, 1, cosines), 0.02)[:, None]
    table = np.zeros((roughnesses, cosines, 2), np.float32)
    for i, roughness in enumerate(np.linspace(0, 1, roughnesses)):
        alpha2 = max(roughness, 0.08) ** 4
        nh = np.sqrt((1 - u) / (1 + (alpha2 - 1) * u))
        vh = np.maximum(np.sqrt(1 - nv**2) * np.sqrt(1 - nh**2) * np.cos(2 * np.pi * v) + nv * nh, 1e-6)
        nl = 2 * vh * nh - nv
        mirrored = _smith(np.maximum(nl, 0), alpha2) * _smith(nv, alpha2) * vh / (nh * nv) * (nl > 0)
        grazing = (1 - vh) ** 5
        table[i] = np.stack([(mirrored * (1 - grazing)).mean(1), (mirrored * grazing).mean(1)], axis=-1)
    return table


def coat(cosine: np.ndarray, f0: np.ndarray, roughness: np.ndarray) -> np.ndarray:
    """(n,) share of an even environment that a GGX coat mirrors towards a viewer at `cosine` of the normal."""
    table = _coat_table()
    y, x = np.clip(roughness, 0, 1) * (table.shape[0] - 1), np.clip(cosine, 0, 1) * (table.shape[1] - 1)
    y0, x0 = np.minimum(y.astype(int), table.shape[0] - 2), np.minimum(x.astype(int), table.shape[1] - 2)
    fy, fx = (y - y0)[:, None], (x - x0)[:, None]
    above = table[y0, x0] * (1 - fx) + table[y0, x0 + 1] * fx
    below = table[y0 + 1, x0] * (1 - fx) + table[y0 + 1, x0 + 1] * fx
    value = above * (1 - fy) + below * fy
    return (f0 * value[:, 0] + value[:, 1]).astype(np.float32)


def ggx(normal: np.ndarray, view: np.ndarray, light: np.ndarray, f0: np.ndarray, roughness: np.ndarray) -> np.ndarray:
    """(n,) specular radiance per unit irradiance on a surface facing the light: D F G / (4 n.v) (Walter 2007)."""
    alpha2 = np.maximum(roughness, 0.08) ** 4
    half = light + view
    half /= np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), 1e-6)
    nl, nv = np.maximum((normal * light).sum(-1), 0), np.maximum((normal * view).sum(-1), 0.05)
    nh, vh = np.maximum((normal * half).sum(-1), 0), np.maximum((view * half).sum(-1), 0)
    d = alpha2 / (np.pi * (nh * nh * (alpha2 - 1) + 1) ** 2)
    return d * fresnel(vh, f0) * _smith(nl, alpha2) * _smith(nv, alpha2) / (4 * nv) * (nl > 0)
