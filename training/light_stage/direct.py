"""Shading under one known environment, without storing transport: for pictures and clips of any size."""

import numba
import numpy as np

from training.light_stage import shade
from training.light_stage.camera import Camera
from training.light_stage.clip import sample_atlas
from training.light_stage.directions import form_vectors
from training.light_stage.gbuffer import Records, trace
from training.light_stage.gloss import atlas, atlas_coordinates
from training.light_stage.scene import Scene
from training.light_stage.transport import VertexLight, vertex_light


@numba.njit(fastmath=True, cache=True)
def _lit(rows, bary, normal, share, reflection, vectors, unit, seen, baked, code, out, glossy):
    """Irradiance (records, 3) under code (256, 3); baked (m, 3): softened and bounced light already under it."""
    for i in range(rows.shape[0]):
        a, b, c = rows[i, 0], rows[i, 1], rows[i, 2]
        wa, wb, wc = bary[i, 0], bary[i, 1], bary[i, 2]
        e0, e1, e2, top, below = 0.0, 0.0, 0.0, 0.0, 1e-6
        for k in range(vectors.shape[0]):
            v = wa * seen[a, k] + wb * seen[b, k] + wc * seen[c, k]
            e = normal[i, 0] * vectors[k, 0] + normal[i, 1] * vectors[k, 1] + normal[i, 2] * vectors[k, 2]
            e = max(e, 0.0) * v
            e0 += e * code[k, 0]
            e1 += e * code[k, 1]
            e2 += e * code[k, 2]
            r = reflection[i, 0] * unit[k, 0] + reflection[i, 1] * unit[k, 1] + reflection[i, 2] * unit[k, 2]
            r = max(r, 0.0) ** 16
            top += r * v
            below += r
        glossy[i] = top / below
        out[i, 0] = (1 - share[i, 0]) * e0 + wa * baked[a, 0] + wb * baked[b, 0] + wc * baked[c, 0]
        out[i, 1] = (1 - share[i, 1]) * e1 + wa * baked[a, 1] + wb * baked[b, 1] + wc * baked[c, 1]
        out[i, 2] = (1 - share[i, 2]) * e2 + wa * baked[a, 2] + wb * baked[b, 2] + wc * baked[c, 2]


def radiance(records: Records, light: VertexLight, scene: Scene, code: np.ndarray) -> np.ndarray:
    """(n, 3) float32 linear radiance of the records under a (16, 16, 3) light code."""
    flat = np.ascontiguousarray(code, np.float32).reshape(-1, 3)
    vectors = form_vectors()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    share = np.float32([p.material.soft for p in scene.topology.parts])[records.part]
    baked = np.einsum("mck,kc->mc", light.soft, flat)
    mirror = shade.reflection(records)
    out = np.zeros((len(records.pixel), 3), np.float32)
    glossy = np.zeros(len(records.pixel), np.float32)
    _lit(light.row[records.triangle], records.bary, records.normal, share, mirror, vectors, unit.astype(np.float32),
         light.visibility, baked.astype(np.float32), flat, out, glossy)  # fmt: skip
    where, mix = atlas_coordinates(mirror, records.roughness)
    blurred = atlas(code)
    sharp = sample_atlas(blurred, where[:, 0], where[:, 1])
    dull = sample_atlas(blurred, where[:, 0], where[:, 2])
    mirrored = sharp + mix[:, None] * (dull - sharp)
    return records.albedo / np.pi * out + shade.glossy_weight(records, glossy)[:, None] * mirrored


def draw(
    scene: Scene, camera: Camera, code: np.ndarray, light: VertexLight | None = None, samples: int = 2
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """One frame under one environment: ((H, W, 3) premultiplied linear radiance, (H, W) alpha), float32.

    light: the vertices' light if it is known already (it must cover all that is in view); None computes it.
    """
    records = trace(scene, camera, samples)
    if light is None:
        light = vertex_light(scene, np.unique(records.triangle), np.random.default_rng(0))
    values = np.concatenate([radiance(records, light, scene, code), np.ones((len(records.pixel), 1))], axis=1)
    values *= records.weight[:, None]
    height, width = camera.size
    picture = np.stack([np.bincount(records.pixel, values[:, i], height * width) for i in range(4)], axis=1)
    picture = picture.reshape(height, width, 4).astype(np.float32)
    return picture[..., :3], np.clip(picture[..., 3], 0, 1)
