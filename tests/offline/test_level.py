"""The soft logarithm that our own diffusion model speaks in."""

import numpy as np
import pytest

from offline.level import SPREAD, brought_to, level, shouldered


def picture(seed, h=32, w=48):
    return np.random.default_rng(seed).random((h, w, 3), np.float32)


def test_a_level_that_is_reached_already_changes_nothing():
    image, gain, offset = picture(0), picture(1) + np.float32(0.2), picture(2) * np.float32(0.1)
    base = np.clip(image * gain + offset, 0, 1)
    same_gain, same_offset = brought_to(image, gain, offset, level(base))
    np.testing.assert_allclose(same_gain, gain, rtol=1e-5)
    np.testing.assert_allclose(same_offset, offset, atol=1e-6)


@pytest.mark.parametrize("wanted", [0.02, 0.3, 0.8])
def test_the_relit_picture_has_the_level_that_was_wanted(wanted):
    """Also from black, where a gain alone could do nothing."""
    image = np.zeros((32, 48, 3), np.float32)
    goal = level(np.full_like(image, wanted))
    gain, offset = brought_to(image, np.ones_like(image), np.zeros_like(image), goal)
    np.testing.assert_allclose(image * gain + offset, wanted, atol=1e-3)


def test_detail_finer_than_the_level_is_scaled_not_blurred():
    image = np.full((32, 32, 3), 0.4, np.float32)
    image[::2, ::2] += 0.1
    image[1::2, 1::2] += 0.1
    gain, offset = brought_to(image, np.ones_like(image), np.zeros_like(image), level(image) + 2)
    out = image * gain + offset
    assert out[4, 4, 0] - out[4, 5, 0] == pytest.approx(0.1 * np.exp(0.3), rel=1e-3)


def test_what_is_near_white_may_darken_but_not_brighten():
    """Brightened by a fifth, a middle tone is; a bright cheek hardly; white not at all. All of them can be darkened."""
    tones = np.array([0.3, 0.9, 1.0], np.float32)
    base = level(np.repeat(tones, 32).reshape(1, 96, 1).repeat(32, 0).repeat(3, 2))
    up = np.full_like(base, np.float32(0.2 / SPREAD))
    middle, cheek, white = (shouldered(up, base)[0, 8, k] for k in (8, 24, 40))
    assert middle == up[0, 0, 0]
    assert 0 < cheek < up[0, 0, 0] / 2
    assert white == pytest.approx(0, abs=1e-5)
    np.testing.assert_array_equal(shouldered(-up, base), -up)


def test_a_highlight_keeps_its_hue():
    base = level(np.full((32, 32, 3), (0.95, 0.6, 0.4), np.float32))
    limited = shouldered(np.ones_like(base), base)[:, 8, 8]
    assert 0 < limited[0] < 0.5
    np.testing.assert_array_equal(limited, limited[0])
