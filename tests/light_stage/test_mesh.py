"""Meshes made by rule: outward normals (light at vertices depends on them), mirroring, joining."""

import numpy as np
import pytest

from training.light_stage.mesh import ellipsoid, grid, join, mirrored, tube, vertex_normals


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (0.1, -0.2, 0.3)])
def test_ellipsoid_normals_point_outwards(centre):
    mesh = ellipsoid(np.array(centre), np.array([0.02, 0.03, 0.04]))
    inner = (vertex_normals(mesh.vertices, mesh.faces) * (mesh.vertices - np.float32(centre))).sum(1)
    assert (inner > 0).mean() > 0.95


def test_tube_normals_point_outwards_and_mirroring_keeps_them():
    path = np.stack([np.linspace(0.02, 0.1, 12), np.zeros(12), np.linspace(0, 0.05, 12)], axis=-1)
    for mesh, line in ((tube(path, 0.004), path), (mirrored(tube(path, 0.004)), path * [-1, 1, 1])):
        away = mesh.vertices - np.repeat(line, 9, axis=0)
        assert ((vertex_normals(mesh.vertices, mesh.faces) * away).sum(1) > 0).mean() > 0.95


def test_join_keeps_all_faces():
    a, b = ellipsoid(np.zeros(3), np.ones(3)), grid(np.zeros((3, 4, 3)))
    both = join([a, b])
    assert len(both.faces) == len(a.faces) + len(b.faces)
    assert both.faces.max() == len(both.vertices) - 1
    assert both.face_uv.shape == (len(both.faces), 3, 2)
