"""The compiled passes against the same in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit, types
from numba.core import caching

from livelight.compiled import compiled
from livelight.recombine import MOST_LIGHT
from livelight.tiles import (
    ALL,
    NONE,
    SOME,
    TILE,
    alpha_rows,
    light_rows,
    mark_rows,
    relight_before_rows,
    relight_rows,
    tiles_across,
)

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


def relit(frame, behind, alpha, gain, offset, *colours) -> np.ndarray:
    """colours: luma of the room, before one's own; those of person and room before another."""
    gain, offset, *colours = (stretched(x.astype(float), *alpha.shape) for x in (gain, offset, *colours))
    part = alpha.astype(float)[..., None]
    if len(colours) == 1:
        luma = np.maximum(frame @ LUMA, 1)[..., None]
        part = np.clip(1 - (1 - part) * colours[0][..., None] / luma, 0, MOST_LIGHT * part)
        return (behind + part * (frame + frame * gain + offset - behind)).clip(0, 255)
    near, old = colours
    person = (near + part * (frame - part * near - (1 - part) * old)).clip(0, 255)
    return behind + part * ((person + person * gain + offset).clip(0, 255) - behind)


def pieces(size: tuple[int, int], grid: tuple[int, int], own: bool, seed: int = 0):
    """Frame, what is behind, alpha with whole tiles of 0 and of 1 in it, and the arguments of ``relit`` after them."""
    rng = np.random.default_rng(seed)
    frame, behind = rng.integers(0, 256, (2, *size, 3), np.uint8)
    alpha = rng.random(size, np.float32)
    alpha[rng.random(size) < 0.3] = 0
    alpha[:, :TILE][rng.random(size[0]) < 0.3] = 1
    alpha[rng.random(size[0]) < 0.2] = 0
    gain, offset = rng.random((2, *grid, 3), np.float32) * 2 - 1
    colours = rng.random((1, *grid) if own else (2, *grid, 3), np.float32) * 255
    return (frame, frame if own else behind, alpha, gain, offset * 90, *colours)


def made(frame, behind, alpha, gain, offset, *colours, bands: int = 7) -> np.ndarray:
    """The same by the compiled passes."""
    marks, out = np.full((alpha.shape[0], tiles_across(alpha.shape[1])), 9, np.uint8), behind.copy()
    maps = [x.reshape(x.shape[0], -1) for x in (gain, offset)]
    if len(colours) == 1:
        light = np.full_like(alpha, np.nan)
        light_rows(frame, alpha, *colours, 0, alpha.shape[0], light, marks)
        relight, given = relight_rows, (frame, light, marks, *maps)
    else:
        mark_rows(alpha, 0, alpha.shape[0], marks)
        maps += [x.reshape(x.shape[0], -1) for x in colours]
        relight, given = relight_before_rows, (frame, alpha, marks, *maps)
    for first in range(0, alpha.shape[0], bands):
        relight(*given, first, min(first + bands, alpha.shape[0]), out)
    return out


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("size", SIZES)
def test_relighting_is_the_formula(size, grid, own) -> None:
    given = pieces(size, grid, own)
    _, behind, alpha, *_ = given
    out = made(*given)
    assert np.abs(out - relit(*given)).max() < 0.505  # rounding, and float32
    assert np.array_equal(out[alpha == 0], behind[alpha == 0])


def test_only_the_rows_asked_for_are_written() -> None:
    frame, _, alpha, gain, offset, person, room = (np.ascontiguousarray(x) for x in pieces((20, 30), (4, 6), own=False))
    maps = [x.reshape(4, -1) for x in (gain, offset, person, room)]
    for relight, given in ((relight_before_rows, maps), (relight_rows, maps[:2])):
        out = np.full_like(frame, 77)
        relight(frame, alpha, np.ones((20, 1), np.uint8), *given, 5, 9, out)
        assert (out[:5] == 77).all()
        assert (out[9:] == 77).all()
        assert not (out[5:9] == 77).all()


def test_one_pixel_of_a_person_is_relit_alone() -> None:
    frame, behind, alpha, *small = pieces((40, 300), (24, 40), own=True)
    alpha[:] = 0
    alpha[17, 255] = 1
    out = made(frame, behind, alpha, *small)
    assert np.abs(out - relit(frame, behind, alpha, *small)).max() < 0.505
    assert np.argwhere((out != frame).any(-1)).tolist() == [[17, 255]]


@pytest.mark.parametrize("own", [True, False])
def test_what_is_only_read_may_be_read_only(own) -> None:
    given = pieces((9, 20), (4, 6), own)
    for array in given:
        array.flags.writeable = False
    assert np.abs(made(*given) - relit(*given)).max() < 0.505


@pytest.mark.parametrize("width", [1, TILE, TILE + 1])
def test_a_tile_is_marked_by_its_alpha(width) -> None:
    alpha = np.zeros((3, width), np.float32)
    alpha[1] = 1
    alpha[2] = 0.5
    marks = np.full((3, tiles_across(width)), 9, np.uint8)
    mark_rows(alpha, 0, 3, marks)
    assert (marks == [[NONE], [ALL], [SOME]]).all()


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
    compiled(types.float32[::1])(fill)(out)
    assert out[0] == 3
