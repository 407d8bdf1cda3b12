"""Glossy reflection: environments blurred beforehand, which a pixel looks up by the direction and width of its lobe."""

from functools import lru_cache

import numpy as np

from training.light_stage.directions import latlong, prefilter

ATLAS_ROUGHNESS = (0.12, 0.25, 0.4, 0.6, 0.8, 1.0)
_LEVELS = range(len(ATLAS_ROUGHNESS))
LEVEL_HEIGHT, LEVEL_WIDTH, PAD = 32, 64, 1
BROAD = 3
"""Levels from this one on are so blurred that half as many texels a side hold them."""


@lru_cache(maxsize=1)
def atlas_matrix() -> np.ndarray:
    """(n, 256) float32: light code -> its pre-blurred environments, one level per roughness, one after the other;
    those from BROAD on at half the height and width."""
    sizes = [(LEVEL_HEIGHT, LEVEL_WIDTH) if k < BROAD else (LEVEL_HEIGHT // 2, LEVEL_WIDTH // 2) for k in _LEVELS]
    return np.concatenate([prefilter(ATLAS_ROUGHNESS[k], *sizes[k]) for k in _LEVELS]).astype(np.float32)


def atlas(light_code: np.ndarray) -> np.ndarray:
    """(levels * 34, 66, 3) float32 pre-blurred environments of a (16, 16, 3) linear light code.

    One level per roughness, padded by a texel (wrapping left and right) so that bilinear lookup needs no special case.
    """
    return atlases(np.asarray(light_code, np.float32).reshape(1, -1, 3))[0]


def atlases(codes: np.ndarray) -> np.ndarray:
    """(k, levels * 34, 66, 3) float32: `atlas` of k codes (k, 256, 3), in one pass over the matrix."""
    flat = atlas_matrix() @ np.moveaxis(codes, 1, 0).reshape(256, -1)
    whole, half = LEVEL_HEIGHT * LEVEL_WIDTH, LEVEL_HEIGHT * LEVEL_WIDTH // 4
    ends = np.cumsum([whole if k < BROAD else half for k in _LEVELS])[:-1]
    levels = [_padded(part, k >= BROAD) for k, part in enumerate(np.split(flat, ends))]
    shape = (len(levels) * (LEVEL_HEIGHT + 2 * PAD), LEVEL_WIDTH + 2 * PAD, len(codes), 3)
    return np.ascontiguousarray(np.moveaxis(np.concatenate(levels).reshape(shape), 2, 0))


def _padded(level: np.ndarray, broad: bool) -> np.ndarray:
    """(34, 66, c) of a level's texels (n, c); a broad one is enlarged, bilinear."""
    shrunk = 2 if broad else 1
    level = level.reshape(LEVEL_HEIGHT // shrunk, LEVEL_WIDTH // shrunk, -1)
    level = np.concatenate([level[:1], level, level[-1:]])
    level = np.concatenate([level[:, -1:], level, level[:, :1]], axis=1)
    if not broad:
        return level
    rows = _between(level)
    return _between(rows.transpose(1, 0, 2)).transpose(1, 0, 2)


def _between(texels: np.ndarray) -> np.ndarray:
    """Twice as many, bilinear, of padded texels along the first axis (n + 2, ...) -> (2 n + 2, ...)."""
    near, far = np.float32(0.75), np.float32(0.25)
    out = np.empty((2 * len(texels) - 2, *texels.shape[1:]), np.float32)
    out[0::2] = near * texels[:-1] + far * texels[1:]
    out[1::2] = far * texels[:-1] + near * texels[1:]
    return out


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
