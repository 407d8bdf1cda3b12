"""Strands are found in textures and mirror light as cylinders do."""

import numpy as np
import pytest

from training.light_stage.hair import along, combed, mirrored, orientation

WAVES = [((1, 0), (0, 1)), ((0, 1), (1, 0)), ((1, 1), (1, 1)), ((1, -1), (-1, 1))]


@pytest.mark.parametrize(("wave", "expected"), WAVES)
def test_strands_run_across_the_texture_s_gradient(wave, expected):
    """wave: direction (column, row) in which stripes repeat; expected: (u, v up) along them."""
    row, column = np.mgrid[0:160, 0:160]
    grey = (0.5 + 0.5 * np.sin(0.6 * (wave[0] * column + wave[1] * row))).astype(np.float32)
    found = along(orientation(grey))[40:120, 40:120]
    wanted = np.float64(expected) / np.linalg.norm(expected)
    assert np.abs(found @ wanted).min() > 0.98


def test_combing_smears_noise_along_the_strands_only():
    double = np.broadcast_to(np.float32([-1, 0]), (96, 96, 2)).copy()  # 90 degrees: upright strands
    noise = np.random.default_rng(0).standard_normal((96, 96)).astype(np.float32)
    out = combed(noise, double, 8)
    inner = out[20:-20, 20:-20]
    assert np.abs(np.diff(inner, axis=0)).mean() < 0.5 * np.abs(np.diff(inner, axis=1)).mean()


def _shine(strand, light):
    strand, light = (np.float32([v]) / np.linalg.norm(v) for v in (strand, light))
    view = np.float32([[0, 0, 1]])
    return mirrored(strand, np.zeros(1, np.float32), view, light, np.float32([[0.2, 0.1, 0.05]]))[0]


def test_a_highlight_is_narrow_along_the_strand_and_wide_around_it():
    strand = (0.0, -1.0, 0.0)
    peak = max(_shine(strand, (0, y, 1)).sum() for y in np.linspace(-0.6, 0.6, 25))
    assert _shine(strand, (1, 0, 0.3)).sum() > 0.1 * peak
    assert _shine(strand, (0, 1, 0.3)).sum() < 0.05 * peak


def test_the_inner_lobe_has_the_hair_s_colour_and_lies_towards_the_tip():
    strand = (0.0, -1.0, 0.0)
    heights = np.linspace(-0.9, 0.9, 61)
    shine = np.stack([_shine(strand, (0, y, 1)) for y in heights])
    white, colour = shine[:, 2], shine[:, 0] - shine[:, 2]
    assert (colour >= 0).all()
    assert heights[np.argmax(colour)] != heights[np.argmax(white)]
