"""Shadows at pixels: rays from the pixel's own samples decide what it sees of each light.

Vertices alone blur contact shadows to the size of the mesh (5 mm) and shade hair as one smooth cap.
"""

from functools import lru_cache

import numba
import numpy as np

from training.light_stage.directions import LIGHTS, form_vectors, shadow_directions
from training.light_stage.gbuffer import Records
from training.light_stage.materials import EYES
from training.light_stage.scene import Scene

OFFSET_M = 2.5e-3  # from vertices
SPOT_OFFSET_M = 1e-3  # from pixels
EYE_OFFSET_M = 3e-4  # lids lie close
CARD_OFFSET_M = 3e-4


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


@lru_cache(maxsize=1)
def turns() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `shares`, for the four phases of 2 x 2 pixels: each cell is one pixel's of them if it has one direction (small
    ones, near the poles), two pixels' if two, all four pixels' if four."""
    _, index, _ = shadow_directions()
    counts = np.bincount(index, minlength=LIGHTS)
    place = np.concatenate([np.arange(n) * (3 if n == 2 else 1) for n in counts])
    return place, np.full(len(index), 4), np.ones(len(index), np.float32)


def scattered(number: np.ndarray) -> np.ndarray:
    """(n,) int64 that looks random, from pixels' or vertices' numbers (n,)."""
    return (number.astype(np.uint64) * np.uint64(2654435761) >> np.uint64(12)).astype(np.int64)


@numba.njit(fastmath=True, cache=True)
def _interpolate(rows, bary, normal, vectors, seen, out, faced):
    """Corners' visibility at records, and which lights the records face."""
    for i in range(rows.shape[0]):
        a, b, c = rows[i, 0], rows[i, 1], rows[i, 2]
        for k in range(vectors.shape[0]):
            va, vb, vc = seen[a, k], seen[b, k], seen[c, k]
            out[i, k] = bary[i, 0] * va + bary[i, 1] * vb + bary[i, 2] * vc
            cosine = normal[i, 0] * vectors[k, 0] + normal[i, 1] * vectors[k, 1] + normal[i, 2] * vectors[k, 2]
            faced[k, i] = cosine > 0


@numba.njit(fastmath=True, cache=True)
def _filter(chosen, beside, normal, point, reach, raw, faced, out):
    """Mean over the 3 x 3 pixels about each chosen record, of records (9 of them beside (n, 9), -1: none) that lie
    within reach (n,) metres and face alike, where it was their turn: raw (n, 256), -1 where not, to out (n, 256), which
    keeps its value where faced (256, n) is false or nobody's turn was."""
    total, mean = np.zeros(raw.shape[1], np.float32), np.zeros(raw.shape[1], np.float32)
    for i in chosen:
        weight = np.zeros(9, np.float32)
        for k in range(9):
            j = beside[i, k]
            if j < 0:
                continue
            alike = normal[i, 0] * normal[j, 0] + normal[i, 1] * normal[j, 1] + normal[i, 2] * normal[j, 2]
            gap = abs(point[i, 2] - point[j, 2])
            if alike < 0.8 or gap > reach[i]:
                continue
            weight[k] = np.float32((2 - abs(k % 3 - 1)) * (2 - abs(k // 3 - 1)))
        total[:] = 0
        mean[:] = 0
        for k in range(9):
            if weight[k] > 0:
                j, w = beside[i, k], weight[k]
                for light in range(raw.shape[1]):
                    traced = np.float32(raw[j, light] >= 0) * w
                    total[light] += traced
                    mean[light] += traced * raw[j, light]
        for light in range(raw.shape[1]):
            if faced[light, i] and total[light] > 0:
                out[i, light] = mean[light] / total[light]


def _beside(records: Records, width: int) -> np.ndarray:
    """(n, 9) int64: the records of the same part in the 3 x 3 pixels about each record, itself in the middle; or -1."""
    parts = int(records.part.max()) + 1
    key = records.pixel.astype(np.int64) * parts + records.part  # each once, and in order
    order = np.argsort(key)
    offsets = np.array([dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]) * parts
    wanted = key[:, None] + offsets
    place = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
    column = records.pixel[:, None] % width + np.tile([-1, 0, 1], 3)
    there = (key[order][place] == wanted) & (column >= 0) & (column < width)
    return np.where(there, order[place], -1)


def lifts(scene: Scene, records: Records) -> tuple[np.ndarray, np.ndarray]:
    """(off the surface (n, 3), along the ray (n, 1)), float32 metres: where shadow rays of records begin."""
    layered = np.array([part.layered for part in scene.topology.parts])[records.part]
    away = np.where(layered, 0, np.where(records.label == EYES, EYE_OFFSET_M, SPOT_OFFSET_M))[:, None]
    return np.float32(away * records.smooth), np.float32(np.where(layered, CARD_OFFSET_M, 1e-4))[:, None]


def record_visibility(scene: Scene, records: Records, row: np.ndarray, seen: np.ndarray, width: int) -> np.ndarray:
    """(n, 256) float32 share of each basis light that the records see.

    row (V,): row of each vertex in seen (m, 256), as VertexLight has them; width: of the picture, in pixels.
    On solids every pixel traces at most a quarter of the directions, its neighbours the others, and the 3 x 3 pixels
    about it are averaged; on hair, whose pixels differ more, each traces half of them. Lights below a record's horizon
    have the visibility of its triangle's corners.
    """
    count = len(records.pixel)
    layered = np.array([part.layered for part in scene.topology.parts])[records.part]
    out, faced = np.empty((count, LIGHTS), np.float32), np.empty((LIGHTS, count), np.bool_)
    _interpolate(row[records.triangle], records.bary, records.normal, form_vectors(), seen, out, faced)
    hair, solid = np.flatnonzero(layered), np.flatnonzero(~layered)
    place, sets, weight = shares(2)
    _trace(scene, records, hair, scattered(records.pixel), place, sets, weight, faced, out)
    raw = np.full_like(out, -1)
    phase = records.pixel % width % 2 + 2 * (records.pixel // width % 2)
    _trace(scene, records, solid, phase, *turns(), faced, raw)
    apart = np.abs(records.point[:, 2]) / width  # about the side of a pixel in the scene
    _filter(solid, _beside(records, width), records.smooth, records.point, 8 * apart, raw, faced, out)
    return out


@numba.njit(fastmath=True, cache=True)
def _rays(chosen, faced, phase, mine, sets, direction, spot, spots, away, ahead, first, which, origin, along):
    """Fill which, origin and along from place `first` with one direction's rays of the records whose turn it is."""
    for i in chosen:
        if faced[i] and phase[i] % sets == mine:
            s = (spot + phase[i] // 2) % spots.shape[1]
            which[first] = i
            for c in range(3):
                origin[first, c] = spots[i, s, c] + away[i, c] + direction[c] * ahead[i]
                along[first, c] = direction[c]
            first += 1
    return first


@numba.njit(cache=True)
def _add(which, light, cell, out):
    for i in which:
        out[i, cell] = 0
    for k in range(len(which)):
        out[which[k], cell] += light[k]


def _trace(scene, records, chosen, phase, which_set, sets, weight, faced, out) -> None:
    """Rays of the chosen records to what they face, in the directions of their phase (n,), as `shares` deals them."""
    directions, index, _ = shadow_directions()
    away, ahead = lifts(scene, records)
    room = len(chosen) * 4
    which, origin, along = np.empty(room, np.int64), np.empty((room, 3), np.float32), np.empty((room, 3), np.float32)
    for cell in range(LIGHTS):
        count = 0
        for k in np.flatnonzero(index == cell):
            count = _rays(chosen, faced[cell], phase, which_set[k], sets[k], directions[k], 3 * k, records.spots, away,
                          ahead[:, 0], count, which, origin, along)  # fmt: skip
        if count:
            light = scene.transmittance(origin[:count], along[:count])
            _add(which[:count], light * weight[k], cell, out)  # one weight a cell
