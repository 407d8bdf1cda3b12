"""Shadows at pixels: where a triangle's corners disagree on a light, rays from the pixel's own samples decide.

Vertices alone blur contact shadows to the size of the mesh (5 mm) and shade hair as one smooth cap.
"""

from functools import lru_cache

import numba
import numpy as np

from training.light_stage.directions import LIGHTS, form_vectors, shadow_directions
from training.light_stage.gbuffer import SPOTS, Records
from training.light_stage.materials import EYES
from training.light_stage.scene import Scene

OFFSET_M = 2.5e-3  # from vertices
SPOT_OFFSET_M = 1e-3  # from pixels
EYE_OFFSET_M = 3e-4  # lids lie close
CARD_OFFSET_M = 3e-4
AGREED = 0.05


@lru_cache(maxsize=2)
def shares(most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(set (m,), sets (m,), weight (m,)) of the shadow directions: each cell's are dealt to up to `most` sets of one
    weight, so that neighbours may trace one set each."""
    _, index, weight = shadow_directions()
    counts = np.bincount(index, minlength=LIGHTS)
    count, place = counts[index], np.concatenate([np.arange(n) for n in counts])  # cells lie in order
    sets = np.minimum(count, most)
    place = np.where((count == 4) & (sets == 2), place + place // 2, place)  # a diagonal each
    return place % sets, sets, weight * sets


def scattered(number: np.ndarray) -> np.ndarray:
    """(n,) int64 that looks random, from pixels' or vertices' numbers (n,)."""
    return (number.astype(np.uint64) * np.uint64(2654435761) >> np.uint64(12)).astype(np.int64)


@numba.njit(fastmath=True, cache=True)
def _interpolate(rows, bary, normal, vectors, seen, agreed, out, doubt):
    """Corners' visibility at records, and where the corners disagree on a light that the record faces."""
    for i in range(rows.shape[0]):
        a, b, c = rows[i, 0], rows[i, 1], rows[i, 2]
        for k in range(vectors.shape[0]):
            va, vb, vc = seen[a, k], seen[b, k], seen[c, k]
            out[i, k] = bary[i, 0] * va + bary[i, 1] * vb + bary[i, 2] * vc
            faces = normal[i, 0] * vectors[k, 0] + normal[i, 1] * vectors[k, 1] + normal[i, 2] * vectors[k, 2] > 0
            doubt[k, i] = faces and max(va, vb, vc) - min(va, vb, vc) > agreed


def lifts(scene: Scene, records: Records) -> tuple[np.ndarray, np.ndarray]:
    """(off the surface (n, 3), along the ray (n, 1)), float32 metres: where shadow rays of records begin."""
    layered = np.array([part.layered for part in scene.topology.parts])[records.part]
    away = np.where(layered, 0, np.where(records.label == EYES, EYE_OFFSET_M, SPOT_OFFSET_M))[:, None]
    return np.float32(away * records.smooth), np.float32(np.where(layered, CARD_OFFSET_M, 1e-4))[:, None]


def record_visibility(scene: Scene, records: Records, row: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(n, 256) float32 share of each basis light that the records see.

    row (V,): row of each vertex in seen (m, 256), as VertexLight has them.
    """
    count = len(records.pixel)
    out, doubt = np.empty((count, LIGHTS), np.float32), np.empty((LIGHTS, count), np.bool_)
    _interpolate(row[records.triangle], records.bary, records.normal, form_vectors(), seen, AGREED, out, doubt)
    directions, index, _ = shadow_directions()
    away, ahead = lifts(scene, records)
    noise = scattered(records.pixel)
    which_set, sets, weight = shares(2)
    for cell in range(LIGHTS):
        asked = np.flatnonzero(doubt[cell])
        out[asked, cell] = 0
        for k in np.flatnonzero(index == cell):
            which = asked[noise[asked] % sets[k] == which_set[k]]
            if len(which) == 0:
                continue
            along = np.broadcast_to(directions[k], (len(which), 3)).astype(np.float32)
            spot = (3 * k + noise[which] // 2) % SPOTS
            origin = records.spots[which, spot] + away[which] + along * ahead[which]
            out[which, cell] += weight[k] * scene.transmittance(origin, along)
    return out
