"""The GGX coat: what it mirrors of hard lights exactly, and of an environment by three moments of its lobe.

The light that a coat mirrors towards the viewer comes from a lobe that, off the normal, is neither about the mirror
direction nor symmetric: at grazing angles the surface's own horizon cuts it. A clip keeps of it the amount, the mean
direction and the length of the mean of its directions, and looks up a cos^n lobe that has the same three.
"""

from functools import lru_cache

import numba
import numpy as np

from training.light_stage.directions import form_vectors

LEAST_COSINE = 0.05
SHARPEST_ROUGHNESS = 0.12  # of the atlas
MOST_POWER = 16.0  # of a lobe whose shadow the basis' cells can tell


def fresnel(cosine: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """Schlick's Fresnel reflectance."""
    return f0 + (1 - f0) * np.clip(1 - cosine, 0, 1) ** 5


def _smith(cosine: np.ndarray, alpha2: np.ndarray) -> np.ndarray:
    """Smith's masking of one direction for GGX."""
    return 2 * cosine / np.maximum(cosine + np.sqrt(alpha2 + (1 - alpha2) * cosine**2), 1e-6)


def power_of(roughness: np.ndarray) -> np.ndarray:
    """Exponent n of the cos^n lobe that `directions.prefilter` has for a roughness: 0 at 1."""
    return (2 / np.maximum(roughness, SHARPEST_ROUGHNESS) ** 4 - 2) / 4


def length_of(power: np.ndarray) -> np.ndarray:
    """Length of the mean direction of a cos^n lobe: 1/2 (a hemisphere) to 1 (a mirror)."""
    return (power + 1) / (power + 2)


def roughness_of(length: np.ndarray) -> np.ndarray:
    """Roughness whose lobe has a mean direction of that length."""
    length = np.clip(length, 0.5, 1 - 1e-6)
    return (2 / (4 * (2 * length - 1) / (1 - length) + 2)) ** 0.25


@lru_cache(maxsize=1)
def _coat_table(cosines: int = 65, roughnesses: int = 17, samples: int = 4096) -> np.ndarray:
    """(roughnesses, cosines, 2, 3) float32 of a GGX coat: f0 * table[..., 0, :] + table[..., 1, :] are what it mirrors
    of a unit uniform environment, and the sum of its lobe's directions along the viewer's tangent and the normal."""
    u = (np.arange(samples) + 0.5) / samples
    v = np.mod(np.arange(samples) * 0.6180339887, 1.0)
    nv = np.maximum(np.linspace(0, 1, cosines), LEAST_COSINE)[:, None]
    table = np.zeros((roughnesses, cosines, 2, 3), np.float32)
    for i, roughness in enumerate(np.linspace(0, 1, roughnesses)):
        alpha2 = max(roughness, 0.08) ** 4
        nh = np.sqrt((1 - u) / (1 + (alpha2 - 1) * u))
        across = np.sqrt(1 - nh**2) * np.cos(2 * np.pi * v)
        vh = np.maximum(np.sqrt(1 - nv**2) * across + nv * nh, 1e-6)
        nl = 2 * vh * nh - nv
        mirrored = _smith(np.maximum(nl, 0), alpha2) * _smith(nv, alpha2) * vh / (nh * nv) * (nl > 0)
        grazing = (1 - vh) ** 5
        tangent = 2 * vh * across - np.sqrt(1 - nv**2)
        for j, part in enumerate((mirrored * (1 - grazing), mirrored * grazing)):
            table[i, :, j] = np.stack([part.mean(1), (part * tangent).mean(1), (part * nl).mean(1)], axis=-1)
    return table


def _looked_up(cosine: np.ndarray, f0: np.ndarray, roughness: np.ndarray) -> np.ndarray:
    """(n, 3): amount, and sums of directions along tangent and normal, of the table."""
    table = _coat_table()
    y, x = np.clip(roughness, 0, 1) * (table.shape[0] - 1), np.clip(cosine, 0, 1) * (table.shape[1] - 1)
    y0, x0 = np.minimum(y.astype(int), table.shape[0] - 2), np.minimum(x.astype(int), table.shape[1] - 2)
    fy, fx = (y - y0)[:, None, None], (x - x0)[:, None, None]
    above = table[y0, x0] * (1 - fx) + table[y0, x0 + 1] * fx
    below = table[y0 + 1, x0] * (1 - fx) + table[y0 + 1, x0 + 1] * fx
    value = above * (1 - fy) + below * fy
    return f0[:, None] * value[:, 0] + value[:, 1]


def coat(cosine: np.ndarray, f0: np.ndarray, roughness: np.ndarray) -> np.ndarray:
    """(n,) share of an even environment that a GGX coat mirrors towards a viewer at `cosine` of the normal."""
    return _looked_up(cosine, f0, roughness)[:, 0].astype(np.float32)


def coat_albedo(f0: np.ndarray, roughness: np.ndarray) -> np.ndarray:
    """(n,) share of light from everywhere that a coat throws back to everywhere."""
    table = _coat_table()[..., 0]
    cosine = np.linspace(0, 1, table.shape[1])
    mean = (table * (cosine / cosine.sum())[:, None]).sum(1)
    levels = np.linspace(0, 1, len(mean))
    return f0 * np.interp(roughness, levels, mean[:, 0]) + np.interp(roughness, levels, mean[:, 1])


def coat_lobe(normal: np.ndarray, view: np.ndarray, f0: np.ndarray, roughness: np.ndarray):
    """(`coat` (n,), mean direction of the mirrored light (n, 3), its length the lobe's sharpness), float32.

    normal, view (n, 3) unit; f0, roughness (n,). A normal that leans away from the viewer counts as square to it.
    """
    cosine = (normal * view).sum(1)
    amount, tangent, along = _looked_up(cosine, f0, roughness).T
    across = view - cosine[:, None] * normal
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    mean = (tangent[:, None] * across + along[:, None] * normal) / np.maximum(amount, 1e-9)[:, None]
    return amount.astype(np.float32), mean.astype(np.float32)


@numba.njit(fastmath=True, cache=True)
def _shadowed(mean, normal, seen, unit, angle, most, share, visible):
    """Share (n,) of each lobe that is seen, and the mean direction (n, 3) of what is seen."""
    for i in range(mean.shape[0]):
        length = np.sqrt(mean[i, 0] ** 2 + mean[i, 1] ** 2 + mean[i, 2] ** 2)
        dx, dy, dz = mean[i, 0] / length, mean[i, 1] / length, mean[i, 2] / length
        exact = max((2 * length - 1) / max(1 - length, 1e-6), 0.0)
        power = np.float32(min(exact, most))
        total, lit = np.float32(1e-9), np.float32(1e-12)
        mx = my = mz = vx = vy = vz = np.float32(0)
        for k in range(unit.shape[0]):
            x = dx * unit[k, 0] + dy * unit[k, 1] + dz * unit[k, 2]
            above = normal[i, 0] * unit[k, 0] + normal[i, 1] * unit[k, 1] + normal[i, 2] * unit[k, 2]
            if x <= 0 or above <= 0:
                continue
            w = np.float32(x) ** power * angle[k]
            v = w * seen[i, k]
            total += w
            lit += v
            mx += w * unit[k, 0]
            my += w * unit[k, 1]
            mz += w * unit[k, 2]
            vx += v * unit[k, 0]
            vy += v * unit[k, 1]
            vz += v * unit[k, 2]
        share[i] = lit / total
        # a sharper lobe than the cells can tell is moved less
        narrow = np.sqrt(min(1.0, (1 - length) * (power + 2)))
        visible[i, 0] = mean[i, 0] + narrow * (vx / lit - mx / total)
        visible[i, 1] = mean[i, 1] + narrow * (vy / lit - my / total)
        visible[i, 2] = mean[i, 2] + narrow * (vz / lit - mz / total)


def shadowed(mean: np.ndarray, normal: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(share (n,) of each lobe's light that is seen, mean direction (n, 3) of that light), float32.

    mean (n, 3) as coat_lobe; normal (n, 3), whose horizon cuts the lobe; seen (n, 256): share of each basis light.
    """
    vectors = form_vectors()
    angle = np.linalg.norm(vectors, axis=1)
    share, visible = np.empty(len(mean), np.float32), np.empty((len(mean), 3), np.float32)
    unit = (vectors / angle[:, None]).astype(np.float32)
    _shadowed(np.float32(mean), np.float32(normal), seen, unit, angle.astype(np.float32), MOST_POWER, share, visible)
    return share, visible


def ggx(normal: np.ndarray, view: np.ndarray, light: np.ndarray, f0: np.ndarray, roughness: np.ndarray) -> np.ndarray:
    """(n,) specular radiance per unit irradiance on a surface facing the light: D F G / (4 n.v) (Walter 2007)."""
    alpha2 = np.maximum(roughness, 0.08) ** 4
    half = light + view
    half /= np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), 1e-6)
    nl, nv = np.maximum((normal * light).sum(-1), 0), np.maximum((normal * view).sum(-1), LEAST_COSINE)
    nh, vh = np.maximum((normal * half).sum(-1), 0), np.maximum((view * half).sum(-1), 0)
    d = alpha2 / (np.pi * (nh * nh * (alpha2 - 1) + 1) ** 2)
    return d * fresnel(vh, f0) * _smith(nl, alpha2) * _smith(nv, alpha2) / (4 * nv) * (nl > 0)
