"""The cheap camera: neutral settings only encode; random ones stay in range and are reproducible."""

import numpy as np
import pytest

from training.light_stage.assets import linear_to_srgb, srgb_to_linear
from training.light_stage.backdrop import project
from training.light_stage.directions import direction
from training.light_stage.webcam import WebcamSettings, compose, develop


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


def test_project_sees_the_centre_column_behind_the_person():
    u, v = np.meshgrid((np.arange(256) + 0.5) / 256, (np.arange(128) + 0.5) / 128)
    panorama = (direction(u, v) * 0.5 + 0.5).astype(np.float32)
    view = project(panorama, 32.0, np.array([32.0, 32.0]), (64, 64))
    assert view[32, 32] == pytest.approx([0.5, 0.5, 0.0], abs=0.03)
    assert view[32, 60, 0] > 0.7
    assert view[4, 32, 1] > 0.7
