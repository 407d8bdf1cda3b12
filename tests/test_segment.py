from __future__ import annotations

import cv2
import numpy as np

from livelight.segment import (
    NOBODY,
    SOMEBODY,
    MatteEdges,
    MatteState,
    SelfieSegmenter,
    steady,
    without_doubtful_islands,
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


def test_mediapipe_finds_nobody_in_an_empty_room() -> None:
    room = np.tile(np.linspace(60, 190, 320, dtype=np.uint8)[None, :, None], (180, 1, 3))
    matte = SelfieSegmenter().segment(room)
    assert matte.shape == (144, 256)
    assert matte.dtype == np.float32
    assert 0 <= matte.min() <= matte.max() <= 1
    assert matte.mean() < 0.1


def test_a_cushion_goes_and_a_second_person_and_a_hand_stay() -> None:
    matte = np.zeros((144, 256), np.float32)
    matte[40:140, 40:120] = 1.0  # a person
    matte[60:140, 160:210] = 0.8  # a second one, less sure
    matte[10:25, 130:145] = 1.0  # a raised hand
    matte[110:130, 225:245] = 0.7  # a cushion
    out = without_doubtful_islands(matte)
    assert not out[105:135, 220:250].any()
    out[110:130, 225:245] = 0.7
    assert np.array_equal(out, matte)
