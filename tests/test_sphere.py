"""The conventions of DESIGN.md: where a direction lies on the panorama, and which way turning goes."""

import numpy as np
import pytest

from livelight import sphere


def test_the_centre_column_is_behind_the_person_and_right_of_it_is_plus_x():
    directions = sphere.directions(64, 128)
    behind = directions[31:33, 63:65].mean(axis=(0, 1))
    assert behind == pytest.approx([0, 0, -1], abs=0.01)
    assert directions[32, 96] == pytest.approx([1, 0, 0], abs=0.05)
    assert directions[0, 0, 1] > 0.99  # row 0 is up
    assert directions[32, 0, 2] > 0.99  # the edge columns lie at the camera's side


def test_directions_follow_the_formula_and_texel_of_inverts_them():
    rows, columns = 32, 64
    v, u = (np.array([5, 20]) + 0.5) / rows, (np.array([3, 50]) + 0.5) / columns
    p = 2 * np.pi * (u - 0.5)
    expected = np.stack([np.sin(np.pi * v) * np.sin(p), np.cos(np.pi * v), -np.sin(np.pi * v) * np.cos(p)], axis=-1)
    assert sphere.directions(rows, columns)[[5, 20], [3, 50]] == pytest.approx(expected, abs=1e-6)
    column, row = sphere.texel_of(sphere.directions(rows, columns), rows, columns)
    assert column == pytest.approx(np.tile(np.arange(columns), (rows, 1)), abs=1e-3)
    assert row == pytest.approx(np.tile(np.arange(rows)[:, None], (1, columns)), abs=1e-3)


def test_solid_angles_cover_the_sphere():
    assert sphere.solid_angles(40, 80).sum() * 80 == pytest.approx(4 * np.pi, rel=1e-12)
    assert sphere.solid_angles(1, 1)[0] == pytest.approx(4 * np.pi)


def test_turning_moves_what_is_behind_to_the_right_and_then_up():
    behind = np.array([0, 0, -1], np.float32)
    assert sphere.turn(30, 0) @ behind == pytest.approx([0.5, 0, -np.cos(np.pi / 6)], abs=1e-6)
    assert sphere.turn(0, 30) @ behind == pytest.approx([0, 0.5, -np.cos(np.pi / 6)], abs=1e-6)
    assert sphere.turn(90, 45) @ behind == pytest.approx([1, 0, 0], abs=1e-6)  # pitch turns about the image's x


def test_reducing_keeps_the_energy_of_each_part():
    rng = np.random.default_rng(3)
    image = rng.random((96, 192, 3), np.float32) ** 8 * 1000
    small = sphere.reduced(image, 24)
    energy = (image * sphere.solid_angles(96, 192)[:, None, None]).reshape(24, 4, 48, 4, 3).sum(axis=(1, 3))
    assert small * sphere.solid_angles(24, 48)[:, None, None] == pytest.approx(energy, rel=1e-4)


@pytest.mark.parametrize("height", [65, 97, 127, 333, 400, 511])
def test_reducing_takes_any_height_and_any_number_of_channels(height):
    image = np.random.default_rng(3).random((height, 2 * height, 9), np.float32)
    image[height // 4, height // 3] = 1e4
    energy = image * sphere.solid_angles(height, 2 * height)[:, None, None]
    down, across = shares(height, 64), shares(2 * height, 128)
    expected = np.einsum("rh,hwc,kw->rkc", down, energy, across, optimize=True)
    found = sphere.reduced(image, 64) * sphere.solid_angles(64, 128)[:, None, None]
    assert found == pytest.approx(expected, rel=1e-3)


def shares(fine, coarse):
    """How much of each of ``fine`` texels in a row lies in each of ``coarse``: float64 (coarse, fine)."""
    start, end = np.arange(coarse)[:, None] * fine / coarse, np.arange(1, coarse + 1)[:, None] * fine / coarse
    texel = np.arange(fine)[None]
    return np.clip(np.minimum(texel + 1, end) - np.maximum(texel, start), 0, 1)


def test_samples_are_seamless_where_the_columns_meet():
    image = np.ones((8, 16, 3), np.float32)
    image[:, 0], image[:, -1] = 3.0, 5.0
    seam = np.array([[[0, 0, 1]]], np.float32)
    assert sphere.sampled(sphere.padded(image), seam) == pytest.approx(np.full((1, 1, 3), 4.0), abs=1e-3)
