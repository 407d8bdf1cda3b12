"""Opacity of alpha cards where shadow rays meet them: their textures laid end to end, for one compiled loop."""

from dataclasses import dataclass

import numba
import numpy as np

from training.light_stage.part import Part

STEP_M = 1e-3  # beyond a card, before the next is looked for
LEAST = 0.03  # light that is followed no further


@dataclass
class CardTexture:
    """Of m card triangles: uv (m, 3, 2) float32; first, height, width (m,) int64 of their texture in texels, uint8."""

    uv: np.ndarray
    first: np.ndarray
    height: np.ndarray
    width: np.ndarray
    texels: np.ndarray

    @staticmethod
    def of(parts: list[Part], part: np.ndarray, uv: np.ndarray) -> "CardTexture":
        """From the parts, each card triangle's part (m,) and its uv (m, 3, 2)."""
        texels, shape, used = [np.zeros(1, np.uint8)], np.zeros((len(parts), 3), np.int64), 1
        for i in np.unique(part):
            alpha = np.rint(np.clip(parts[i].material.texture[..., 3], 0, 1) * 255).astype(np.uint8)
            shape[i] = used, *alpha.shape
            texels.append(alpha.reshape(-1))
            used += alpha.size
        return CardTexture(np.ascontiguousarray(uv, np.float32), *shape[part].T.copy(), np.concatenate(texels))

    def pass_through(
        self, hit: dict[str, np.ndarray], active: np.ndarray, start: np.ndarray, along: np.ndarray, out: np.ndarray
    ) -> int:
        """Dim the rays that met a card, and move those that still carry light behind it, to the front of the arrays.

        hit: as embree gives it for rays of index active (k,) from start (k, 3) along (k, 3); out (n,): their light.
        active, start and along are changed; returns how many rays are left.
        """
        return int(_pass(hit["primID"], hit["u"], hit["v"], hit["tfar"], self.uv, self.first, self.height, self.width,
                         self.texels, active, start, along, out))  # fmt: skip


@numba.njit(cache=True, fastmath=True)
def _pass(prim, u, v, far, uv, first, height, width, texels, active, start, along, out):
    left = 0
    for i in range(len(active)):
        face = prim[i]
        if face < 0:
            continue
        a, b = u[i], v[i]
        x = (1 - a - b) * uv[face, 0, 0] + a * uv[face, 1, 0] + b * uv[face, 2, 0]
        y = (1 - a - b) * uv[face, 0, 1] + a * uv[face, 1, 1] + b * uv[face, 2, 1]
        column = min(int((x - np.floor(x)) * width[face]), width[face] - 1)
        row = min(int((1 - (y - np.floor(y))) * height[face]), height[face] - 1)
        opacity = texels[first[face] + row * width[face] + column] / np.float32(255)
        ray = active[i]
        out[ray] *= 1 - opacity
        if out[ray] <= LEAST:
            continue
        step = far[i] + STEP_M
        active[left] = ray
        for c in range(3):
            start[left, c] = start[i, c] + along[i, c] * step
            along[left, c] = along[i, c]
        left += 1
    return left
