"""Gain and offset over time: calm where nothing moves, at once where something does."""

from __future__ import annotations

import numpy as np
import pytest

from livelight.runtimes import NetworkOutput
from livelight.steadying import SLOWEST, Motion, Steadied, light_changed, steadied

CODE = np.ones((16, 16, 3), np.float32)
GREY = np.full((32, 48, 3), 120, np.uint8)


def answer(gain: float | np.ndarray, offset: float = 0.0) -> NetworkOutput:
    maps = [np.broadcast_to(np.float32(x), (32, 48, 3)).copy() for x in (gain, offset)]
    return NetworkOutput(*maps, np.ones((32, 48), np.float32), np.zeros((16, 24, 3), np.float32), CODE, ())


def after(*steps: tuple[NetworkOutput, np.ndarray, np.ndarray]) -> NetworkOutput:
    """The last answer of several (answer, picture, code)."""
    kept: Steadied | None = None
    for output, picture, code in steps:
        output, kept = steadied(output, Motion.of(picture, code, kept), kept)
    return output


def test_noise_of_a_still_picture_is_averaged_away() -> None:
    rng = np.random.default_rng(0)
    noisy = [answer(rng.normal(1, 0.1, (32, 48, 3))) for _ in range(20)]
    out = after(*((n, GREY, CODE) for n in noisy))
    assert out.gain.std() == pytest.approx(0.1 * (SLOWEST / (2 - SLOWEST)) ** 0.5, rel=0.1)
    assert out.gain.mean() == pytest.approx(1, abs=0.01)


def test_what_moves_is_new_at_once_and_the_rest_is_not() -> None:
    moved = GREY.copy()
    moved[8:20, 8:20] = 200
    out = after((answer(1.0, 0.0), GREY, CODE), (answer(2.0, 0.1), moved, CODE))
    assert np.allclose(out.gain[14, 14], 2.0)
    assert np.allclose(out.offset[14, 14], 0.1)
    assert np.allclose(out.gain[28, 40], 1 + SLOWEST)
    assert np.allclose(out.offset[28, 40], 0.1 * SLOWEST)


def test_another_light_is_seen_at_once() -> None:
    assert np.allclose(after((answer(1.0), GREY, CODE), (answer(2.0), GREY, CODE * 2)).gain, 2.0)
    assert light_changed(CODE * 1.01, CODE) == pytest.approx(0.2, rel=0.01)
    assert light_changed(CODE, CODE) == 0


def test_another_size_of_the_network_begins_anew() -> None:
    small = NetworkOutput(*(x[:16] for x in (answer(3.0).gain, answer(3.0).offset)), *[CODE] * 3, ())
    assert np.allclose(after((answer(1.0), GREY, CODE), (small, GREY[:16], CODE)).gain, 3.0)


def test_what_is_remembered_is_not_the_engines_own() -> None:
    """An engine may write its next answer into the same arrays."""
    output = answer(1.0)
    _, kept = steadied(output, Motion.of(GREY, CODE, None), None)
    output.gain[:] = 9
    assert np.allclose(kept.gain, 1.0)
