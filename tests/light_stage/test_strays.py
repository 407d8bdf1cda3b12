"""Stray strands lie above a hair style's outermost cards, thinly."""

import numpy as np
import pytest

from training.light_stage import assets

pytestmark = pytest.mark.skipif(not assets.available(), reason="LIVELIGHT_ASSETS does not hold the assets")
pytest.importorskip("anny")
pytest.importorskip("embreex")


def test_only_the_upper_of_two_sheets_is_outside():
    from training.light_stage.strays import outer

    square = np.float32([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * 0.1
    point = np.concatenate([square + np.float32([0, height, 0]) for height in (-0.3, 0.02, 0.05)])
    faces = np.int32([[0, 1, 2], [0, 2, 3]])
    faces = np.concatenate([faces, faces + 4, faces[:, ::-1] + 8])  # whichever way a card faces
    assert outer(point, faces).tolist() == [True, True, False, False, True, True]


def test_strays_are_thin_and_lie_outside_their_hair():
    from training.light_stage import wardrobe
    from training.light_stage.body import body
    from training.light_stage.strays import outwards, strays

    hair = wardrobe.hair("bob02", np.float32([0.1, 0.06, 0.03]))
    layer = strays(hair, np.random.default_rng(0))
    assert 0.1 < len(layer.faces) / len(hair.faces) < 1
    assert layer.material.texture[..., 3].mean() < 0.3 * hair.material.texture[..., 3].mean()
    assert layer.material.texture[..., 3].max() > 0.2
    state = body().state({}, {}, {}, {})
    below, above = hair.placement.vertices(state), layer.placement.vertices(state)
    used = np.unique(layer.faces)
    rise = ((above - below) * outwards(below, hair.faces)).sum(1)[used]
    assert 0.001 < rise.min() < rise.max() < 0.012


def test_hair_without_strands_has_no_strays():
    from training.light_stage.facial_hair import shells
    from training.light_stage.strays import strays

    rng = np.random.default_rng(0)
    assert strays(shells("scalp", 0.005, np.float32([0.1, 0.1, 0.1]), rng)[0], rng) is None
