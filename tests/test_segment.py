from __future__ import annotations

import cv2
import numpy as np

from livelight.segment import (
    NOBODY,
    SOMEBODY,
    MatteEdges,
    MatteState,
    steady,
)


def test_steady_holds_still_where_nothing_moves_and_follows_what_does() -> None:
    luma = np.full((40, 60), 0.5, np.float32)
    before = np.full((40, 60), 0.5, np.float32)
    flicker = before + 0.1
    held, _ = steady(flicker, luma, MatteState(before, luma))
    assert np.allclose(held, 0.525)
    brighter = luma.copy()
    brighter[:, 30:] += 0.3
    moved, _ = steady(flicker, brighter, MatteState(before, luma))
    assert np.allclose(moved[:, 36:], 0.6)
    assert np.allclose(moved[:, :24], 0.525)


def test_steady_starts_anew_on_another_size() -> None:
    matte, luma = np.ones((8, 8), np.float32), np.zeros((8, 8), np.float32)
    out, state = steady(matte, luma, MatteState(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32)))
    assert out is matte
    assert state.matte.shape == (8, 8)


def test_edges_snap_to_the_frame() -> None:
    """A coarse matte that is off by one cell becomes exact at the full-resolution edge."""
    frame = np.full((180, 320), 40, np.uint8)
    frame[:, 150:] = 200
    small = cv2.resize(frame, (64, 36), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    coarse = np.zeros((36, 64), np.float32)
    coarse[:, 31:] = 1  # the true edge is at 30
    coarse = cv2.blur(coarse, (3, 3))
    alpha = np.empty(frame.shape, np.float32)
    MatteEdges.fit(coarse, small).at(cv2.merge([frame] * 3), alpha)
    plain = cv2.resize(coarse, (320, 180))
    truth = (frame > 100).astype(np.float32)
    near = slice(140, 160)
    assert np.abs(alpha - truth)[:, near].mean() < 0.7 * np.abs(plain - truth)[:, near].mean()


def test_alpha_is_the_linear_function_of_luma_at_full_size() -> None:
    rng = np.random.default_rng(0)
    coarse = np.zeros((36, 64), np.float32)
    coarse[10:30, 20:35] = 1
    picture = cv2.resize(rng.integers(0, 256, (12, 20, 3), np.uint8), (320, 180))
    luma = (picture @ np.array((0.299, 0.587, 0.114)) / 255).astype(np.float32)
    edges = MatteEdges.fit(cv2.blur(coarse, (3, 3)), cv2.resize(luma, (64, 36)))
    slope, base = cv2.resize(edges.slope, (320, 180)), cv2.resize(edges.base, (320, 180))
    truth = ((slope * luma + base - NOBODY) / (SOMEBODY - NOBODY)).clip(0, 1)
    alpha = np.full(luma.shape, 7, np.float32)
    edges.at(picture, alpha)
    assert np.abs(alpha - truth).max() < 1e-5
    assert alpha.max() > 0.9


def test_nobody_leaves_nothing_of_the_last_frame() -> None:
    alpha, nobody = np.ones((18, 32), np.float32), np.zeros((9, 16), np.float32)
    MatteEdges.fit(nobody, nobody).at(np.full((18, 32, 3), 90, np.uint8), alpha)
    assert not alpha.any()
