"""The soft logarithm that our own diffusion model speaks in."""

import numpy as np
import pytest

from offline.level import brought_to, level


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
