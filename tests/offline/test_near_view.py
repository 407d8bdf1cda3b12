"""The look at the head from nearby."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from livelight.heads import REMEMBERED
from livelight.runtimes import NetworkOutput
from offline.near_view import SIDE, NearView, cut_out, nearer

H, W = 96, 168
CODE = np.ones((16, 16, 3), np.float32)


def far_away(size: int = 16) -> np.ndarray:
    """A matte (H, W) of somebody whose head is `size` pixels wide and high."""
    matte = np.zeros((H, W), np.float32)
    matte[20 : 20 + size, 80 : 80 + size] = 1
    matte[20 + size :, 80 - size : 80 + 2 * size] = 1
    return matte


class LeftBrighter:
    """Stands in for the base: relights what is left of its picture's middle."""

    name = "left brighter"

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []
        self.fresh: list[bool] = []

    def run(self, image, light, state):
        self.pictures.append(image)
        self.fresh.append(state is None)
        gain = np.ones((*image.shape[:2], 3), np.float32)
        gain[:, : image.shape[1] // 2] = 2
        nothing = np.zeros_like(gain)
        return NetworkOutput(gain, nothing, nothing[..., 0], nothing, light, (np.zeros((1, 1), np.float32),))


def frame() -> np.ndarray:
    return np.full((4 * H, 4 * W, 3), 60, np.uint8)


def test_shading_is_added_about_the_head_and_no_brightness() -> None:
    base = LeftBrighter()
    added = NearView(base).at(frame(), far_away(), CODE, np.zeros((3, H, W), np.float32))
    assert [p.shape for p in base.pictures] == [(SIDE, SIDE, 3)] * 2  # as it is, and in a mirror
    # The mirror has its left at the other side: together they are even, and nothing is left of the lamp.
    assert np.abs(added).max() < 1e-5


def test_what_the_base_sees_on_one_side_in_both_pictures_is_added_there() -> None:
    class RightInTheMirror(LeftBrighter):
        def run(self, image, light, state):
            found = super().run(image, light, state)
            if len(self.pictures) % 2 == 0:
                found = replace(found, gain=found.gain[:, ::-1].copy())
            return found

    added = NearView(RightInTheMirror()).at(frame(), far_away(), CODE, np.zeros((3, H, W), np.float32))
    matte = far_away()
    head = added[0, 20:36, 80:96]
    assert head[:, 2:6].mean() > 0.2 > -0.2 > head[:, 10:14].mean()
    assert not added[:, :, :50].any()
    assert not added[:, :, 130:].any()
    weighted = added[0] * matte
    assert abs(weighted.sum()) < 0.05 * np.abs(weighted).sum()


def test_a_head_that_is_large_already_is_not_looked_at_again() -> None:
    base = LeftBrighter()
    added = NearView(base).at(frame(), far_away(60), CODE, np.zeros((3, H, W), np.float32))
    assert not base.pictures
    assert not added.any()


def test_nobody_adds_nothing() -> None:
    base = LeftBrighter()
    added = NearView(base).at(frame(), np.zeros((H, W), np.float32), CODE, np.ones((3, H, W), np.float32))
    assert not base.pictures
    assert added.shape == (3, H, W)
    assert not added.any()


def test_its_memory_lasts_as_long_as_the_head_is_the_same() -> None:
    base, whole = LeftBrighter(), np.zeros((3, H, W), np.float32)
    near = NearView(base)
    for matte in (far_away(), far_away(), *[np.zeros((H, W), np.float32)] * (REMEMBERED + 1), far_away()):
        near.at(frame(), matte, CODE, whole)
    assert base.fresh == [True, True, *[False, False] * (1 + REMEMBERED), True, True]


def test_the_square_is_cut_from_the_frame_where_the_matte_has_it() -> None:
    picture = np.zeros((4 * H, 4 * W, 3), np.uint8)
    picture[4 * 20 : 4 * 36, 4 * 80 : 4 * 96] = 200
    assert (cut_out(picture, slice(20, 36), slice(80, 96), (H, W)) == 200).all()
    assert cut_out(picture, slice(12, 44), slice(72, 104), (H, W)).mean() == pytest.approx(50, rel=0.02)


def test_it_goes_all_the_way_in_the_middle_and_not_at_the_edge() -> None:
    rng = np.random.default_rng(1)
    near, whole = rng.random((3, 40, 40), np.float32), rng.random((3, 40, 40), np.float32)
    matte = np.ones((40, 40), np.float32)
    moved = whole + nearer(near, whole, matte, 1.0)
    inner = np.s_[:, 10:30, 10:30]
    apart = moved[inner] - near[inner]
    np.testing.assert_allclose(apart, np.broadcast_to(apart[:, :1, :1], apart.shape), atol=1e-5)
    assert np.abs(moved - whole)[:, 0].max() < 0.08
    np.testing.assert_allclose(nearer(near, whole, matte, 0.5), 0.5 * nearer(near, whole, matte, 1.0), rtol=1e-5)
