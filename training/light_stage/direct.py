"""Shading under one known environment, without storing transport: for pictures and clips of any size."""

import numba
import numpy as np

from training.light_stage import shade
from training.light_stage.camera import Camera
from training.light_stage.clip import sample_atlas
from training.light_stage.coat import roughness_of, shadowed
from training.light_stage.directions import form_vectors
from training.light_stage.gbuffer import Records, trace
from training.light_stage.gloss import atlas, atlas_coordinates
from training.light_stage.scene import Scene
from training.light_stage.transport import VertexLight, vertex_light

CHUNK = 16384  # records at a time: their visibility takes a kilobyte each


@numba.njit(fastmath=True, cache=True)
def _lit(rows, bary, normal, share, vectors, visibility, baked, code, out, seen):
    """Irradiance (records, 3) under code (256, 3); baked (m, 3): softened and bounced light already under it.

    seen (records, 256): what the records see, from their vertices."""
    for i in range(rows.shape[0]):
        a, b, c = rows[i, 0], rows[i, 1], rows[i, 2]
        wa, wb, wc = bary[i, 0], bary[i, 1], bary[i, 2]
        e0, e1, e2 = 0.0, 0.0, 0.0
        for k in range(vectors.shape[0]):
            v = wa * visibility[a, k] + wb * visibility[b, k] + wc * visibility[c, k]
            seen[i, k] = v
            e = normal[i, 0] * vectors[k, 0] + normal[i, 1] * vectors[k, 1] + normal[i, 2] * vectors[k, 2]
            e = max(e, 0.0) * v
            e0 += e * code[k, 0]
            e1 += e * code[k, 1]
            e2 += e * code[k, 2]
        out[i, 0] = (1 - share[i, 0]) * e0 + wa * baked[a, 0] + wb * baked[b, 0] + wc * baked[c, 0]
        out[i, 1] = (1 - share[i, 1]) * e1 + wa * baked[a, 1] + wb * baked[b, 1] + wc * baked[c, 1]
        out[i, 2] = (1 - share[i, 2]) * e2 + wa * baked[a, 2] + wb * baked[b, 2] + wc * baked[c, 2]


def radiance(records: Records, light: VertexLight, scene: Scene, code: np.ndarray) -> np.ndarray:
    """(n, 3) float32 linear radiance of the records under a (16, 16, 3) light code."""
    flat = np.ascontiguousarray(code, np.float32).reshape(-1, 3)
    share = np.float32([p.material.soft for p in scene.topology.parts])[records.part]
    baked = np.einsum("mck,kc->mc", light.soft, flat).astype(np.float32)
    rows, normal = light.row[records.triangle], shade.glossy_normal(records)
    amount, mean = shade.lobes(records)
    out, gloss = np.zeros((len(rows), 3), np.float32), np.empty((len(rows), 1), np.float32)
    for start in range(0, len(rows), CHUNK):
        some = slice(start, start + CHUNK)
        seen = np.empty((len(rows[some]), len(flat)), np.float32)
        _lit(rows[some], records.bary[some], records.normal[some], share[some], form_vectors(), light.visibility,
             baked, flat, out[some], seen)  # fmt: skip
        part, mean[some] = shadowed(mean[some], normal[some], seen)
        gloss[some, 0] = amount[some] * part
    length = np.linalg.norm(mean, axis=1)
    where, mix = atlas_coordinates(mean / np.maximum(length, 1e-6)[:, None], roughness_of(length))
    blurred = atlas(code)
    sharp = sample_atlas(blurred, where[:, 0], where[:, 1])
    dull = sample_atlas(blurred, where[:, 0], where[:, 2])
    return records.albedo / np.pi * out + gloss * (sharp + mix[:, None] * (dull - sharp))


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
