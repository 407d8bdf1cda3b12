"""Small meshes made by rule (tubes, ellipsoids, sheets) and vertex normals. Vertices float32, faces int32."""

from typing import NamedTuple

import numpy as np


class Mesh(NamedTuple):
    """vertices (n, 3) float32 metres; faces (f, 3) int32; uv (n, 2) float32 in [0, 1]."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray

    @property
    def face_uv(self) -> np.ndarray:
        """(f, 3, 2) uv of the faces' corners."""
        return self.uv[self.faces]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) float32 area-weighted unit normals."""
    corner = vertices[faces]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    flat = faces.reshape(-1)
    repeated = np.repeat(face, 3, axis=0)
    normal = np.stack([np.bincount(flat, repeated[:, i], len(vertices)) for i in range(3)], axis=1)
    return (normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def grid(points: np.ndarray) -> Mesh:
    """A sheet through points (rows, columns, 3)."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    return Mesh(np.float32(points.reshape(-1, 3)), np.int32(faces), np.float32(np.stack([u, v], -1).reshape(-1, 2)))


def facing(mesh: Mesh, outwards: np.ndarray) -> Mesh:
    """The mesh with its faces turned so that normals point along outwards (n, 3) or (3,): light needs to know."""
    agree = (vertex_normals(mesh.vertices, mesh.faces) * outwards).sum()
    return mesh if agree >= 0 else Mesh(mesh.vertices, mesh.faces[:, ::-1].copy(), mesh.uv)


def tube(path: np.ndarray, radius: float | np.ndarray, sides: int = 8, flat: float = 1.0) -> Mesh:
    """A tube around path (n, 3). radius: one or one a point; flat < 1 squeezes it across its first normal."""
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    helper = np.where(np.abs(along[:, 2:3]) < 0.9, [[0.0, 0, 1]], [[0.0, 1, 0]])
    first = np.cross(along, helper)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-9)
    second = np.cross(first, along)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    size = np.broadcast_to(radius, len(path))[:, None, None]
    ring = flat * np.cos(angle)[None, :, None] * first[:, None] + np.sin(angle)[None, :, None] * second[:, None]
    mesh = grid(path[:, None] + size * ring)
    return facing(mesh, mesh.vertices - np.repeat(path, sides + 1, axis=0))


def ellipsoid(centre: np.ndarray, radii: np.ndarray, rows: int = 12, columns: int = 20, power: float = 1.0) -> Mesh:
    """An ellipsoid; power < 1 makes it boxier (a superellipsoid)."""
    v, u = np.meshgrid(np.linspace(1e-3, np.pi - 1e-3, rows), np.linspace(0, 2 * np.pi, columns), indexing="ij")
    unit = np.stack([np.sin(v) * np.cos(u), np.cos(v), -np.sin(v) * np.sin(u)], axis=-1)
    unit = np.sign(unit) * np.abs(unit) ** power
    return facing(grid(np.asarray(centre) + unit * np.asarray(radii)), unit.reshape(-1, 3))


def join(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one."""
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + s for m, s in zip(meshes, starts, strict=False)]).astype(np.int32),
        np.concatenate([m.uv for m in meshes]),
    )


def mirrored(mesh: Mesh) -> Mesh:
    """The mesh with x negated, its faces still facing outwards."""
    return Mesh(mesh.vertices * np.float32([-1, 1, 1]), mesh.faces[:, ::-1].copy(), mesh.uv)
