"""Eyeballs are round and fine, and their irises lie in the middle."""

import numpy as np
import pytest

from training.light_stage import assets

pytestmark = pytest.mark.skipif(not assets.available(), reason="LIVELIGHT_ASSETS does not hold the assets")
pytest.importorskip("anny")
eyes = pytest.importorskip("training.light_stage.eyes")


def test_quartering_keeps_the_area_and_shares_the_new_vertices():
    faces = np.int32([[0, 1, 2], [0, 2, 3]])
    point = np.float64([[0, 0], [1, 0], [1, 1], [0, 1]])
    fine, ends = eyes.quartered(faces, 4)
    assert len(fine) == 8
    assert len(ends) == 5  # four sides and the diagonal, which both triangles share
    corner = np.concatenate([point, point[ends].mean(1)])[fine]
    a, b = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    assert area == pytest.approx(1 / 8)


def test_eyeballs_are_round_and_wear_their_iris_in_front():
    from training.light_stage.body import body

    state = body().state({}, {}, {}, {})
    material = eyes.material(np.random.default_rng(0), 0.5)
    part = eyes.eyes(material)
    point = part.placement.vertices(state)
    left = point[point[:, 0] > 0]
    radius = np.linalg.norm(left - left.mean(0), axis=1)
    assert radius == pytest.approx(radius.mean(), rel=0.025)
    front = part.faces[(part.face_uv - 0.5).__abs__().max((1, 2)) < 0.06]
    front = front[point[front].mean(1)[:, 2] > left.mean(0)[2]]
    assert point[front, 2].min() > left[:, 2].max() - 1e-3
    pupil, white = material.sample(np.float32([[0.5, 0.5], [0.2, 0.5]]))[:, :3].mean(1)
    assert pupil < 0.05 < 0.2 < white


def test_teeth_have_no_black_gaps_between_their_islands():
    from training.light_stage import materials

    path = assets.root() / "makehuman" / "teeth" / "materials" / "teeth.png"
    ivory = np.float32([0.6, 0.56, 0.5])
    texture = materials.teeth(path, ivory).texture
    assert texture[..., :3].max(-1).min() > 0.08
    assert texture[..., :3].max() <= 0.85
