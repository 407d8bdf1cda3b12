"""Skin tones are drawn evenly, textures take the tone asked for, and oil lies where faces are oily."""

import numpy as np
import pytest

from training.light_stage import assets

pytestmark = pytest.mark.skipif(not assets.available(), reason="LIVELIGHT_ASSETS does not hold the assets")
pytest.importorskip("anny")
skin = pytest.importorskip("training.light_stage.skin")


def test_every_tone_is_drawn_equally_often_and_half_of_them_are_brown_or_dark():
    rng = np.random.default_rng(0)
    angles = np.array([skin.draw_ita(rng) for _ in range(4000)])
    counts, _ = np.histogram(angles, skin.TONES_DEG)
    assert counts.sum() == 4000
    assert counts.min() > 400  # 500 expected each
    assert (angles < 10).mean() == pytest.approx(0.5, abs=0.05)


def test_a_block_of_seeds_holds_each_sex_with_each_tone_once():
    from training.light_stage.balance import BLOCK, wish_of

    wishes = [wish_of(seed) for seed in range(2 * BLOCK, 4 * BLOCK)]
    assert len(set(wishes[:BLOCK])) == BLOCK == len(set(wishes[BLOCK:]))
    assert wishes[:BLOCK] != wishes[BLOCK:]
    assert wish_of(5) == wish_of(5)


def test_a_wish_is_kept_where_textures_allow_it():
    from training.light_stage.balance import Wish
    from training.light_stage.person import _pick_skin

    rng = np.random.default_rng(0)
    for sex in "fm":
        for low, high in ((-68.0, -49.0), (41.0, 55.0)):
            name, picked, ita_deg = _pick_skin(rng, skin.names(), Wish(sex, low, high))
            assert picked == sex
            assert ("_female_" in name) == (sex == "f")
            assert low <= ita_deg <= high
    only = [n for n in skin.names() if "_darkskinned_male_" in n]
    assert _pick_skin(rng, only, Wish("f", -68.0, -49.0))[1] == "m"


@pytest.mark.parametrize("ita_deg", [-50.0, -10.0, 20.0, 35.0, 60.0])
def test_a_colour_has_the_angle_it_was_drawn_for(ita_deg):
    rng = np.random.default_rng(1)
    colours = np.stack([skin.colour_of(ita_deg, rng) for _ in range(50)])
    assert float(np.median(skin.ita_of(colours))) == pytest.approx(ita_deg, abs=3)
    assert (colours[:, 0] > colours[:, 2]).all()


def test_middle_tones_may_use_dark_and_light_textures():
    names = ["young_darkskinned_female_diffuse", "young_lightskinned_female_diffuse"]
    assert skin.fitting(names, 10.0) == names
    assert skin.fitting(names, -40.0) == names[:1]
    assert skin.fitting(names, 50.0) == names[1:]
    assert skin.fitting(names[:1], 50.0) == names[:1]


def test_a_texture_takes_its_tone_and_the_nose_is_oilier_than_the_neck():
    from training.light_stage.materials import lookup
    from training.light_stage.regions import face_uv, region

    colour = np.float32([0.3, 0.15, 0.1])
    for name in ("old_darkskinned_female_diffuse", "young_lightskinned_male_diffuse"):
        material = skin.material(name, colour, np.random.default_rng(3), 512)
        face = np.median(material.sample(face_uv())[:, :3], axis=0)
        assert face == pytest.approx(colour, rel=0.25)
        nose, head = region("nose", 512) > 0.8, region("head", 512)
        assert material.surface[nose][:, 0].mean() < material.surface[head < 0.1][:, 0].mean() - 0.005
        assert material.surface[nose][:, 1].mean() > material.surface[head < 0.1][:, 1].mean()
        assert lookup(material.surface, face_uv()[:5]) == pytest.approx(material.gloss(face_uv()[:5]))
