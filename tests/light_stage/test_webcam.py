"""The cheap camera: neutral settings only encode; random ones stay in range and are reproducible."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from training.light_stage.assets import linear_to_srgb, srgb_to_linear
from training.light_stage.backdrop import project
from training.light_stage.busy import plan_busy
from training.light_stage.codec import through_h264
from training.light_stage.directions import direction
from training.light_stage.webcam import WebcamSettings, compose, develop, recorded, varied_webcam


def test_neutral_camera_only_encodes():
    linear = np.random.default_rng(0).uniform(0, 0.6, (8, 8, 3)).astype(np.float32)
    out = develop(linear, WebcamSettings(), 0, np.random.default_rng(0))
    assert out == pytest.approx(linear_to_srgb(linear) * 255, abs=0.51)


def test_srgb_round_trip():
    x = np.linspace(0, 1, 101, dtype=np.float32)
    assert linear_to_srgb(srgb_to_linear(x)) == pytest.approx(x, abs=1e-5)


def test_compose_blends_by_alpha_and_is_reproducible():
    person, alpha = np.full((2, 16, 16, 3), 0.09, np.float32), np.full((2, 16, 16), 0.5, np.float32)
    wall = np.full((16, 16, 3), 0.18, np.float32)
    out = compose(person, alpha, wall, WebcamSettings(), np.random.default_rng(0))
    assert out.shape == (2, 16, 16, 3)
    assert out.dtype == np.uint8
    assert srgb_to_linear(out / 255.0) == pytest.approx(0.18, abs=0.003)
    a = compose(person, alpha, wall, None, np.random.default_rng(3))
    assert (a == compose(person, alpha, wall, None, np.random.default_rng(3))).all()


def test_training_cameras_expose_dim_and_bright_rooms_alike():
    """Whatever a room's light, its picture is at times dark and at times bright."""
    for light in (0.05, 1.0):
        mean = np.full(3, light, np.float32)
        levels = [light * 2 ** varied_webcam(np.random.default_rng(seed), mean).exposure_ev for seed in range(100)]
        assert np.quantile(levels, 0.1) < 0.15
        assert np.quantile(levels, 0.9) > 0.28


def test_project_sees_the_centre_column_behind_the_person():
    u, v = np.meshgrid((np.arange(256) + 0.5) / 256, (np.arange(128) + 0.5) / 128)
    panorama = (direction(u, v) * 0.5 + 0.5).astype(np.float32)
    view = project(panorama, 32.0, np.array([32.0, 32.0]), (64, 64))
    assert view[32, 32] == pytest.approx([0.5, 0.5, 0.0], abs=0.03)
    assert view[32, 60, 0] > 0.7
    assert view[4, 32, 1] > 0.7


def moving_picture(size: int = 65) -> np.ndarray:
    """(4, size, size, 3) uint8 texture that moves a little."""
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(0, 256, (24, 24, 3)).astype(np.uint8), (size, size))
    return np.stack([np.roll(picture, t, axis=1) for t in range(4)])


def test_h264_harms_more_at_lower_rates_and_always_alike():
    frames = moving_picture()
    good, bad = through_h264(frames, 0.8), through_h264(frames, 0.03)
    assert good.shape == bad.shape == frames.shape
    errors = [np.abs(x.astype(float) - frames).mean() for x in (good, bad)]
    assert 0 < errors[0] < errors[1]
    assert (bad == through_h264(frames, 0.03)).all()


def test_a_camera_that_sends_h264_differs_from_one_that_does_not():
    scene = (moving_picture(32) / np.float32(255)) ** 2
    plain, sent = (recorded(scene, WebcamSettings(h264_bits=b), np.random.default_rng(0)) for b in (0.0, 0.05))
    assert plain.shape == sent.shape
    assert (plain != sent).any()


def test_busy_backdrop_is_reproducible_and_busier_than_its_view():
    images = [np.random.default_rng(i).uniform(0, 1, (64, 128, 3)).astype(np.float32) for i in range(2)]
    source = SimpleNamespace(files=("a", "b"), images=images)

    def painted(seed: int) -> np.ndarray:
        return plan_busy(np.random.default_rng(seed), lambda: np.full((64, 64, 3), 0.3, np.float32), source, (64, 64))()

    for seed in range(12):
        out = painted(seed)
        assert out.shape == (64, 64, 3)
        assert np.isfinite(out).all()
        assert out.min() >= 0
        assert (out == painted(seed)).all()
    assert np.mean([painted(seed).std() for seed in range(12)]) > 0.05
