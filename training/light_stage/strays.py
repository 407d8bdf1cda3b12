"""Stray strands: a thin, torn layer a few millimetres above a hair style, so that its outline is not a smooth cap."""

from dataclasses import dataclass

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from training.light_stage.body import BodyState, body
from training.light_stage.materials import Material
from training.light_stage.mesh import vertex_normals
from training.light_stage.part import Part
from training.light_stage.placement import Hung, Placement


@dataclass(frozen=True)
class Lifted:
    """Another placement's vertices, moved away from the middle of the part along their normals by height_m (n,)."""

    base: Placement
    faces: np.ndarray
    height_m: np.ndarray

    def vertices(self, state: BodyState) -> np.ndarray:
        """See Placement."""
        point = self.base.vertices(state)
        return (point + outwards(point, self.faces) * self.height_m[:, None]).astype(np.float32)


def outwards(point: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(n, 3) unit normals of a hair mesh, turned away from its middle: cards face either way."""
    normal = vertex_normals(point, faces)
    away = point - point.mean(0)
    return normal * np.where((normal * away).sum(1, keepdims=True) < 0, -1, 1)


def outer(point: np.ndarray, faces: np.ndarray, reach_m: float = 0.15) -> np.ndarray:
    """(f,) bool: faces with no other face of the mesh above them."""
    scene = EmbreeScene()
    TriangleMesh(scene, point.astype(np.float32), faces)
    middle = point[faces].mean(1)
    up = outwards(point, faces)[faces].mean(1)
    up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
    hit = scene.run((middle + 4e-3 * up).astype(np.float32), up.astype(np.float32), output=True)
    return (hit["primID"] < 0) | (hit["tfar"] > reach_m)


def strays(hair: Part, rng: np.random.Generator) -> Part | None:
    """The layer over a hair style that hangs on the body; None for hair that has no strands drawn on it."""
    material = hair.material
    if material.strand is None or not isinstance(hair.placement, Hung):
        return None
    fit = hair.placement.fit
    point = np.einsum("nk,nki->ni", fit.weights, body().template[fit.reference]) + 0.1 * fit.offset
    faces = hair.faces[shown := outer(point.astype(np.float32), hair.faces)]
    height = rng.uniform(0.001, rng.uniform(0.002, 0.006), len(point)).astype(np.float32)
    comb = material.strand[..., 2] / np.float32(0.07)
    texture = cv2.resize(material.texture, comb.shape[::-1], interpolation=cv2.INTER_AREA)
    texture[..., 3] *= np.clip((comb - rng.uniform(0.7, 1.3)) * 0.8, 0, 0.6)
    thin = Material(texture, material.label, material.roughness, material.f0, material.soft, strand=material.strand)
    thin.slopes = np.zeros((4, 4, 2), np.float32)
    lifted = Lifted(hair.placement, hair.faces, height)
    return Part(f"{hair.name} strays", faces, hair.face_uv[shown], thin, lifted, True)
