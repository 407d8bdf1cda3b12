"""All parts of the people in a frame as one triangle soup in the camera frame, with two ray-tracing scenes.

`solid` holds skin, eyes, cloth; `layered` holds alpha cards (hair, brows, lashes), which rays pass partly.
"""

import os
from functools import cached_property

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from training.light_stage.card_texture import CardTexture
from training.light_stage.coat import coat_albedo
from training.light_stage.hair import along
from training.light_stage.materials import HAIR, lookup
from training.light_stage.mesh import vertex_normals
from training.light_stage.part import Part

EPSILON_M = 1e-3
CARDS = 6  # that a shadow ray passes


class Topology:
    """What does not change from frame to frame: faces, uv, materials.

    faces (F, 3) int32 into all vertices; face_uv (F, 3, 2); face_part (F,) int32; tangents need vertices, see Scene.
    """

    def __init__(self, parts: list[Part], counts: list[int]) -> None:
        starts = np.concatenate([[0], np.cumsum(counts)])
        self.parts = parts
        self.starts = starts
        self.faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=False)]).astype(np.int32)
        self.face_uv = np.concatenate([p.face_uv for p in parts]).astype(np.float32)
        self.face_part = np.repeat(np.arange(len(parts)), [len(p.faces) for p in parts]).astype(np.int32)
        self.vertex_part = np.repeat(np.arange(len(parts)), counts).astype(np.int32)
        layered = np.array([p.layered for p in parts])
        self.solid_faces = np.flatnonzero(~layered[self.face_part]).astype(np.int32)
        self.layered_faces = np.flatnonzero(layered[self.face_part]).astype(np.int32)
        self.layered_alpha = self._mean_alpha()
        self.cards = CardTexture.of(parts, self.face_part[self.layered_faces], self.face_uv[self.layered_faces])
        self.vertex_albedo = self._vertex_albedo(starts[-1])

    def _mean_alpha(self) -> np.ndarray:
        """(layered faces,) mean opacity of each card triangle, for bounced rays."""
        weights = np.float32([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]])
        weights /= weights.sum(1, keepdims=True)
        alpha = np.zeros(len(self.layered_faces), np.float32)
        for i, part in enumerate(self.parts):
            mine = self.face_part[self.layered_faces] == i
            if mine.any():
                uv = np.einsum("kc,fcj->fkj", weights, self.face_uv[self.layered_faces[mine]])
                alpha[mine] = part.material.sample(uv.reshape(-1, 2))[:, 3].reshape(-1, 4).mean(1)
        return alpha

    def _vertex_albedo(self, count: int) -> np.ndarray:
        """(vertices, 3) share of light that each vertex throws back, its coat's share included."""
        albedo = np.full((count, 3), 0.2, np.float32)
        for i, part in enumerate(self.parts):
            mine = self.face_part == i
            uv = self.face_uv[mine].reshape(-1, 2)
            roughness, f0 = part.material.gloss(uv).T
            albedo[self.faces[mine].reshape(-1)] = part.material.sample(uv)[:, :3] + coat_albedo(f0, roughness)[:, None]
        return albedo


class Scene:
    """One frame: vertices (V, 3) float32 and unit normals (V, 3) in the camera frame, ready for rays."""

    def __init__(self, topology: Topology, vertices: np.ndarray) -> None:
        self.topology = topology
        self.vertices = vertices.astype(np.float32)
        self.normals = vertex_normals(self.vertices, topology.faces)
        self._round_cards()
        self.solid = self._embree(topology.solid_faces)
        self.layered = self._embree(topology.layered_faces)

    def _round_cards(self) -> None:
        """Lean the cards' normals outwards: flat strips stand for round locks, and must not flicker in shade."""
        for i, part in enumerate(self.topology.parts):
            if not part.layered or part.material.label != HAIR:
                continue
            mine = slice(self.topology.starts[i], self.topology.starts[i + 1])
            points = self.vertices[mine]
            behind = 0.0 if np.ptp(points, axis=0).min() > 0.05 else 0.1
            radial = points - (points.mean(0) - np.float32([0, 0, behind]))
            radial /= np.maximum(np.linalg.norm(radial, axis=1, keepdims=True), 1e-6)
            normal = self.normals[mine]
            normal = normal * np.where((normal * radial).sum(1, keepdims=True) < 0, -1, 1) + 0.9 * radial
            self.normals[mine] = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)

    def uv_axes(self, face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, 3) directions in which u and v grow on faces (n,); not of unit length, but to one scale."""
        corner_uv, corner = self.topology.face_uv[face], self.vertices[self.topology.faces[face]]
        e1, e2 = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
        d1, d2 = corner_uv[:, 1] - corner_uv[:, 0], corner_uv[:, 2] - corner_uv[:, 0]
        sign = np.sign(d1[:, :1] * d2[:, 1:] - d2[:, :1] * d1[:, 1:])
        return (e1 * d2[:, 1:] - e2 * d1[:, 1:]) * sign, (e2 * d1[:, :1] - e1 * d2[:, :1]) * sign

    @cached_property
    def strands(self) -> np.ndarray:
        """(V, 3) float32 unit directions of hairs at vertices, from root to tip; 0 where no hair texture lies.

        The mean over the faces around a vertex: directions have no sign, so their outer products are averaged.
        """
        topology = self.topology
        out = np.zeros_like(self.vertices)
        for i, part in enumerate(topology.parts):
            if part.material.strand is None:
                continue
            face = np.flatnonzero(topology.face_part == i)
            u, v = self.uv_axes(np.repeat(face, 3))
            flat = along(lookup(part.material.strand, topology.face_uv[face].reshape(-1, 2))[:, :2])
            run = u * flat[:, :1] + v * flat[:, 1:]
            run /= np.maximum(np.linalg.norm(run, axis=1, keepdims=True), 1e-9)
            vertex = topology.faces[face].reshape(-1) - topology.starts[i]
            count = topology.starts[i + 1] - topology.starts[i]
            outer = (run[:, :, None] * run[:, None]).reshape(-1, 9)
            mean = np.stack([np.bincount(vertex, outer[:, k], count) for k in range(9)], axis=1).reshape(-1, 3, 3)
            run = np.linalg.eigh(mean)[1][..., -1]
            mine = slice(topology.starts[i], topology.starts[i + 1])
            falls = self.vertices[mine] - self.vertices[mine].mean(0)  # from the crown outwards, and down
            falls[:, 1] = -0.06
            out[mine] = run * np.where((run * falls).sum(1, keepdims=True) < 0, -1, 1)
        return out

    def _embree(self, faces: np.ndarray) -> EmbreeScene | None:
        if len(faces) == 0:
            return None
        scene = EmbreeScene()
        TriangleMesh(scene, self.vertices, self.topology.faces[faces])
        return scene

    def transmittance(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """(n,) float32 in [0, 1]: how much light comes along each ray, through up to CARDS hair layers."""
        out = np.ones(len(origins), np.float32)
        out[self.solid.run(origins, directions, query="OCCLUDED") >= 0] = 0
        if self.layered is None:
            return out
        active = np.flatnonzero(out > 0)
        start, along = origins[active], directions[active]
        for _ in range(CARDS):
            if len(active) == 0:
                break
            hit = self.layered.run(start, along, output=True)
            left = self.topology.cards.pass_through(hit, active, start, along, out)
            active, start, along = active[:left], start[:left], along[:left]
        return out


def process_priority(nice: int = 5) -> None:
    """Lower this process's priority; rendering must not starve others."""
    os.nice(max(0, nice - os.nice(0)))
