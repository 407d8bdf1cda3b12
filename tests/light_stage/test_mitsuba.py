"""Our transport against a path tracer on a card and in a corner: units, gloss, bounces. Small and few samples."""

import numpy as np
import pytest

pytest.importorskip("mitsuba")
pytest.importorskip("embreex")

from tests.light_stage.test_transport import card
from training.light_stage import mitsuba_scene
from training.light_stage.coat import coat
from training.light_stage.compare_mitsuba import Pair, psnr, without_noise
from training.light_stage.direct import draw
from training.light_stage.truth import kept_render

SCALAR = "scalar_rgb"  # needs no LLVM


@pytest.mark.parametrize(("albedo", "roughness", "f0"), [(0.18, 0.5, 0.04), (0.6, 0.8, 0.03)])
def test_a_card_in_an_even_environment(albedo, roughness, f0):
    scene, camera, _ = card(albedo)
    material = scene.topology.parts[0].material
    material.roughness, material.f0 = roughness, f0
    code = np.full((16, 16, 3), 0.7, np.float32)
    ours, alpha = draw(scene, camera, code, None, 3)
    theirs, their_alpha = mitsuba_scene.render(mitsuba_scene.mitsuba(SCALAR), scene, camera, code, [], 64)
    assert their_alpha == pytest.approx(alpha, abs=0.34)  # ours takes 3 x 3 samples a pixel
    assert their_alpha.mean() == pytest.approx(alpha.mean(), rel=0.1)
    inside = alpha > 0.99
    assert ours[inside].mean() == pytest.approx(theirs[inside].mean(), rel=0.03)


def test_light_from_the_right_comes_from_the_right_in_both():
    scene, camera, _ = card(0.5)
    code = np.full((16, 16, 3), 0.02, np.float32)
    code[5:9, 9:15] = [4.0, 1.0, 0.2]  # +x, behind and in front
    code[3, 8] = [0.0, 0.0, 30.0]
    ours, alpha = draw(scene, camera, code, None, 3)
    theirs, _ = mitsuba_scene.render(mitsuba_scene.mitsuba(SCALAR), scene, camera, code, [], 128)
    inside = alpha > 0.99
    assert ours[inside].mean(0) == pytest.approx(theirs[inside].mean(0), rel=0.04)


def test_coat_mirrors_no_more_than_it_gets():
    cosine = np.linspace(0, 1, 11)
    for roughness in (0.1, 0.5, 0.9):
        white = coat(cosine, np.ones(11), np.full(11, roughness))
        assert white.max() <= 1.01
        assert white[-1] > (0.98 if roughness < 0.2 else 0.4)  # single scattering loses the rest
    smooth = coat(np.ones(1), np.full(1, 0.04), np.full(1, 0.1))
    assert smooth[0] == pytest.approx(0.04, rel=0.03)


def test_environment_texels_put_the_back_in_the_first_column():
    code = np.zeros((16, 16, 3), np.float32)
    code[:, 8] = 1.0  # just right of -z
    texels = mitsuba_scene.environment_texels(code, 64)
    assert texels.shape == (64, 128, 3)
    assert texels[:, :8].min() == 1.0
    assert texels[:, 8:].max() == 0.0


def test_a_picture_that_was_rendered_before_is_read(tmp_path, monkeypatch):
    scene, camera, _ = card(0.5)
    code = np.full((16, 16, 3), 0.3, np.float32)
    first = kept_render(tmp_path, SCALAR, scene, camera, code, [], 2, 0)
    monkeypatch.setattr(mitsuba_scene, "render", lambda *_a, **_k: (np.zeros(1), None))
    assert (kept_render(tmp_path, SCALAR, scene, camera, code, [], 2, 0) == first).all()
    assert kept_render(tmp_path, SCALAR, scene, camera, 2 * code, [], 2, 0).shape == (1,)
    assert len(list(tmp_path.iterdir())) == 2


def test_noise_of_the_truth_is_told_from_our_error():
    rng = np.random.default_rng(0)
    truth = np.full((64, 64, 3), 0.3, np.float32)
    halves = [truth + rng.normal(0, 0.05, truth.shape).astype(np.float32) for _ in range(2)]
    ours, ones = truth * np.float32(1.1), np.ones((64, 64))
    pair = Pair(ours, ours, (halves[0] + halves[1]) / 2, ones, ones, halves, 0.0)
    clean, noise = without_noise(pair, ones > 0)
    true = psnr(ours, truth, ones > 0)
    assert clean == pytest.approx(true, abs=0.5)
    assert noise < true
    assert psnr(ours, pair.truth, ones > 0) < true - 1
