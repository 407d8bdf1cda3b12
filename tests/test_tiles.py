"""The compiled passes against the same in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit, types
from numba.core import caching

from livelight import tiles
from livelight.recombine import MOST_LIGHT
from livelight.tiles import TILE, alpha_rows, relight_rows

LUMA = np.array((0.299, 0.587, 0.114))
SIZES = [(1, 1), (1, 2), (2, 1), (3, 5), (1, TILE + 1), (TILE + 1, 1), (37, 2 * TILE + 3), (90, 160)]
GRIDS = [(1, 1), (2, 3), (24, 40), (192, 336)]


def axis(count: int, source: int) -> np.ndarray:
    """Bilinear interpolation as a matrix (count, source), pixel centres at halves."""
    at = np.clip((np.arange(count) + 0.5) * source / count - 0.5, 0, source - 1)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(source)), 0)


def stretched(small: np.ndarray, height: int, width: int) -> np.ndarray:
    across = np.tensordot(axis(width, small.shape[1]), small, (1, 1)).swapaxes(0, 1)
    return np.tensordot(axis(height, small.shape[0]), across, (1, 0))


def relit(frame, behind, own, alpha, gain, offset, colours) -> np.ndarray:
    gain, offset, colours = (stretched(x.astype(float), *alpha.shape) for x in (gain, offset, colours))
    part = alpha.astype(float)[..., None]
    if own:
        luma = np.maximum(frame @ LUMA, 1)[..., None]
        part = np.clip(1 - (1 - part) * colours / luma, 0, MOST_LIGHT * part)
        return (behind + part * (frame + frame * gain + offset - behind)).clip(0, 255)
    near, old = colours[..., :3], colours[..., 3:]
    person = (near + part * (frame - part * near - (1 - part) * old)).clip(0, 255)
    return behind + part * ((person + person * gain + offset).clip(0, 255) - behind)


def pieces(size: tuple[int, int], grid: tuple[int, int], own: bool, seed: int = 0):
    rng = np.random.default_rng(seed)
    frame, behind = rng.integers(0, 256, (2, *size, 3), np.uint8)
    alpha = rng.random(size, np.float32)
    alpha[rng.random(size) < 0.3] = 0
    gain, offset = rng.random((2, *grid, 3), np.float32) * 2 - 1
    colours = rng.random((*grid, 1 if own else 6), np.float32) * 255
    return frame, behind, alpha, gain, offset * 90, colours


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("size", SIZES)
def test_relight_rows_is_the_formula(size, grid, own) -> None:
    frame, behind, alpha, *small = pieces(size, grid, own)
    behind = frame if own else behind
    out = np.full_like(frame, 77)
    for first in range(0, size[0], 7):
        relight_rows(frame, behind, own, alpha, *small, first, min(first + 7, size[0]), out)
    assert np.abs(out - relit(frame, behind, own, alpha, *small)).max() < 0.505  # rounding, and float32
    assert np.array_equal(out[alpha == 0], behind[alpha == 0])


def test_only_the_rows_asked_for_are_written() -> None:
    frame, behind, alpha, *small = pieces((20, 30), (4, 6), own=False)
    out = np.full_like(frame, 77)
    relight_rows(frame, behind, False, alpha, *small, 5, 9, out)
    assert (out[:5] == 77).all()
    assert (out[9:] == 77).all()
    assert not (out[5:9] == 77).all((1, 2)).any()


def test_one_pixel_of_a_person_is_relit_alone() -> None:
    frame, _, alpha, *small = pieces((40, 300), (24, 40), own=True)
    alpha[:] = 0
    alpha[17, 255] = 1
    out = np.empty_like(frame)
    relight_rows(frame, frame, True, alpha, *small, 0, 40, out)
    assert np.abs(out - relit(frame, frame, True, alpha, *small)).max() < 0.505
    assert np.argwhere((out != frame).any(-1)).tolist() == [[17, 255]]


def test_what_is_only_read_may_be_read_only() -> None:
    frame, behind, alpha, *small = pieces((9, 20), (4, 6), own=False)
    for array in (frame, behind, alpha, *small):
        array.flags.writeable = False
    out = np.empty_like(frame)
    relight_rows(frame, behind, False, alpha, *small, 0, 9, out)
    assert np.abs(out - relit(frame, behind, False, alpha, *small)).max() < 0.505


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("size", SIZES)
def test_alpha_rows_is_the_linear_function(size, grid) -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(0, 256, (*size, 3), np.uint8)
    slope, base = rng.random(grid, np.float32) * 0.02 - 0.01, rng.random(grid, np.float32) - 0.3
    slope[: grid[0] // 2], base[: grid[0] // 2] = 0, -1  # nobody
    alpha = np.full(size, 7, np.float32)
    alpha_rows(frame, slope, base, 0, size[0], alpha)
    truth = (stretched(slope.astype(float), *size) * (frame @ LUMA) + stretched(base.astype(float), *size)).clip(0, 1)
    assert np.abs(alpha - truth).max() < 1e-5


def test_without_a_folder_for_a_cache_it_compiles_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a read-only installation whose user has no home."""

    def fill(out):
        out[0] = 3

    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator"):
        njit(cache=True)(fill)
    out = np.zeros(1, np.float32)
    tiles._compiled(types.float32[::1])(fill)(out)
    assert out[0] == 3
