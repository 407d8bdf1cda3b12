import cv2
import numpy as np
import pytest

from livelight.picture_metrics import detail_correlation
from livelight.sources.synthetic import SyntheticSource
from offline.detail import at_full_resolution

FRAME = SyntheticSource(640, 480).image(5)
GRAIN = np.random.default_rng(0).normal(0, 12, FRAME.shape)
FRAME = np.clip(FRAME + GRAIN, 0, 255).astype(np.uint8)
SMALL = cv2.resize(FRAME, (192, 128), interpolation=cv2.INTER_AREA)
WHOLE = np.ones((128, 192), np.float32)


def test_unchanged_light_gives_the_frame_exactly():
    np.testing.assert_array_equal(at_full_resolution(FRAME, SMALL, SMALL, WHOLE, 1.0), FRAME.astype(np.float32))


def test_without_detail_transfer_it_is_the_networks_picture():
    relit = cv2.GaussianBlur(SMALL, (0, 0), 1.5) // 2
    expected = cv2.resize(relit.astype(np.float32), (640, 480), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(at_full_resolution(FRAME, SMALL, relit, WHOLE, 0.0), expected, atol=0.01)


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.5])
def test_a_blurred_network_gets_the_sources_detail_back_under_its_own_light(gain):
    soft = np.clip(cv2.GaussianBlur(SMALL, (0, 0), 2.0) * gain, 0, 255).astype(np.uint8)
    truth = FRAME * np.float32(gain)
    plain, fixed = (np.clip(at_full_resolution(FRAME, SMALL, soft, WHOLE, d), 0, 255) for d in (0.0, 1.0))
    inside = np.ones((480, 640), np.float32)
    before, after = (detail_correlation(truth / 255, x / 255, inside) for x in (plain, fixed))
    assert after > 0.9 > before
    assert np.abs(fixed - np.clip(truth, 0, 255)).mean() < np.abs(plain - np.clip(truth, 0, 255)).mean()


def test_a_hard_shadow_stays_where_the_network_put_it():
    relit = SMALL.copy()
    relit[:, 96:] = relit[:, 96:] // 3
    out = at_full_resolution(FRAME, SMALL, relit, WHOLE, 1.0)
    ratio = out.mean((0, 2)) / FRAME.mean((0, 2))
    assert ratio[:300].mean() == pytest.approx(1, abs=0.03)
    assert ratio[340:].mean() == pytest.approx(1 / 3, abs=0.03)


def test_the_networks_own_room_does_not_reach_the_person():
    """A person who does not change before a room that the network turned white: no rim on the person."""
    matte = np.zeros((128, 192), np.float32)
    matte[:, :96] = 1
    relit = SMALL.copy()
    relit[:, 96:] = 255
    out = at_full_resolution(FRAME, SMALL, relit, matte, 1.0)
    assert np.abs(out - FRAME)[:, :318].max() < 8
