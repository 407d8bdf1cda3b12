"""Glossy reflection: environments blurred beforehand, which a pixel looks up by the direction and width of its lobe."""

from functools import lru_cache

import numpy as np

from training.light_stage.directions import latlong, prefilter

ATLAS_ROUGHNESS = (0.12, 0.25, 0.4, 0.6, 0.8, 1.0)
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
