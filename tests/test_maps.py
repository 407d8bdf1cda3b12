"""The compiled passes over small maps against the same by cv2 and numpy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from livelight.maps import gain_change, moved_toward, offset_change
from livelight.recombine import BRIGHTENED, REACH, flat, thrice

GRIDS = [(1, 1), (2, 3), (5, 40), (24, 40), (33, 7)]


def blur(x: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.blur(x, (2 * REACH + 1, 2 * REACH + 1))).reshape(x.shape)


def continued(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    near = blur(x * weight[..., None]) / (blur(weight) + 1e-3)[..., None]
    return near + weight[..., None] * (x - near)


def per(weight: np.ndarray) -> np.ndarray:
    return thrice(1 / ((blur(weight) + np.float32(1e-3)) * np.float32((2 * REACH + 1) ** 2)))


@pytest.mark.parametrize("dark_rows", [0, 1, 100])
@pytest.mark.parametrize("grid", GRIDS)
def test_changes_are_the_formula(grid: tuple[int, int], dark_rows: int) -> None:
    rng = np.random.default_rng(0)
    gain, offset = rng.random((2, *grid, 3), np.float32) * 3 - 0.2
    luma, weight, dark = rng.random((3, *grid), np.float32)
    dark[dark_rows:] = 0
    by, intensity = np.float32((0.8, 1.0, 1.3)), 0.9
    given = dark, thrice(weight), per(weight), np.tile(by, grid[1])
    made = [np.empty_like(thrice(weight)) for _ in range(2)]
    gain_change(flat(gain), *given, intensity, made[0])
    offset_change(flat(offset), flat(gain), luma, *given, made[1])
    noise = (dark * np.clip((gain.mean(2) - 1) / BRIGHTENED, 0, 1))[..., None]
    calm = gain - (gain - 1) * noise
    grey = offset + (gain - 1) * noise * luma[..., None]
    truths = continued(calm * by - np.float32(intensity), weight), continued(grey * 255 * by, weight)
    for out, truth, scale in zip(made, truths, (1, 255), strict=True):
        assert np.abs(out - flat(truth)).max() < 2e-5 * scale


def test_a_step_toward_is_each_places_own() -> None:
    new, old, rate = np.random.default_rng(1).random((3, 7, 30), np.float32)
    out = np.empty_like(new)
    moved_toward(new, old, rate, out)
    assert np.allclose(out, old + rate * (new - old), atol=1e-6)
