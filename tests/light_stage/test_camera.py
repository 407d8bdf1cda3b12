"""Where the webcam stands, and how much of its picture a head fills."""

import numpy as np

from training.light_stage.camera import CLOSE, frame_head, sample_aim

HEAD_M = 0.25


def head_shares(close: bool) -> tuple[np.ndarray, np.ndarray]:
    """For 300 cameras: how high a head is in heights of the picture, and where its centre is seen (n, 2)."""
    shares, places = [], []
    for seed in range(300):
        rng, head = np.random.default_rng(seed), np.array([0.1, 1.6, 0.2])
        camera = frame_head(rng, head, (200, 200), sample_aim(rng), close)
        up = camera.rotation.T @ np.array([0, HEAD_M / 2, 0])
        top, middle, bottom = camera.project(camera.to_camera(np.stack([head + up, head, head - up])))
        shares.append((bottom - top)[1] / 200)
        places.append(middle / 200)
    return np.array(shares), np.array(places)


def test_a_head_is_seen_small_and_large():
    shares, places = head_shares(close=False)
    assert 0.25 < shares.min() < 0.3
    assert 0.7 < shares.max() < 0.745
    assert ((places > 0.15) & (places < 0.85)).all()


def test_in_a_close_up_a_head_fills_the_picture_or_more():
    shares, places = head_shares(close=True)
    assert CLOSE[0] - 1e-3 <= shares.min() < 0.78
    assert 1.25 < shares.max() <= CLOSE[1] + 1e-3
    assert (abs(places[:, 1] - 0.5) <= 0.1 + 1e-3).all()
