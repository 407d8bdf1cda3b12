"""Smaller pictures of a frame, and a larger relighter, asked beside the frame itself."""

import numpy as np
import pytest

from livelight.runtimes import NetworkOutput
from offline.level import level
from offline.own_passes import Look
from offline.views import LARGE, PLAIN, SMALLER, Seen, View, change_by, others_of

H, W = 96, 128


class Doubling:
    """Stands in for the base: a gain that grows with the frames seen, and brighter on its picture's left."""

    name = "doubling"

    def __init__(self):
        self.sizes = []

    def run(self, image, light, state):
        h, w = image.shape[:2]
        self.sizes.append((w, h))
        count = 1 if state is None else int(state[0].flat[0]) + 1
        gain = np.full((h, w, 3), count, np.float32)
        gain[:, : w // 2] += 1
        nothing = np.zeros((h, w, 3), np.float32)
        states = tuple(np.full((1, c, h // s, w // s), count, np.float32) for c, s in ((20, 8), (32, 16)))
        return NetworkOutput(gain, nothing, nothing[..., 0], nothing, light, states)


def picture():
    return np.full((H, W, 3), 40, np.uint8)


def test_a_view_keeps_to_whole_strides():
    assert View(0.667).size(336, 192) == (224, 128)
    assert View(0.1).size(336, 192) == (32, 32)


@pytest.mark.parametrize("view", [*PLAIN, *SMALLER, *LARGE])
def test_every_view_answers_on_the_frames_own_grid_with_its_own_state(view):
    base = Doubling()
    seen = Seen(base, view)
    for count in (1, 2):
        found = seen.at(picture(), np.ones((16, 16, 3), np.float32))
        left, right = (count, count + 1) if view.mirrored else (count + 1, count)
        for column, gain in ((4, left), (-4, right)):
            expected = level(np.full((2, 2, 3), 40 / 255 * gain, np.float32))[:, 0, 0]
            np.testing.assert_allclose(found[:, H // 4, column], expected, rtol=1e-4)
    assert base.sizes == [view.size(W, H)] * 2


def test_other_views_change_shading_and_not_how_bright_the_person_is():
    random = np.random.default_rng(0)
    plain = [random.random((3, 8, 8), np.float32) for _ in range(2)]
    smaller = [random.random((3, 8, 8), np.float32) + 5 for _ in range(2)]
    matte = np.zeros((1, 8, 8), np.float32)
    matte[:, 2:6] = 1
    change = change_by(smaller, plain, matte)
    assert change.std() > 0.1
    assert (change * matte).sum() / (3 * matte.sum()) == pytest.approx(0, abs=1e-3)
    mean = np.mean([*plain, *smaller], 0) - np.mean(plain, 0)
    np.testing.assert_allclose(change - change.mean(), mean - mean.mean(), atol=1e-5)


def test_nothing_is_added_without_other_views():
    told = Look(Doubling(), (), near=False).at(
        picture(), np.ones((48, 64), np.float32), np.ones((16, 16, 3), np.float32), picture()
    )
    assert not told["views"].any()
    assert told["views"].shape == (1, 3, H // 2, W // 2)


class BrightAbove(Doubling):
    """Stands in for the larger relighter: brighter above."""

    def run(self, image, light, state):
        output = super().run(image, light, state)
        output.gain[: len(output.gain) // 2] += 1
        return output


def test_a_larger_relighter_is_asked_about_its_own_views_and_changes_the_shading():
    base, large = Doubling(), BrightAbove()
    told = Look(base, others_of(base, large), near=False).at(
        picture(), np.ones((48, 64), np.float32), np.ones((16, 16, 3), np.float32), picture()
    )
    assert base.sizes == [view.size(W, H) for view in (*PLAIN, *SMALLER)]
    assert large.sizes == [view.size(W, H) for view in LARGE]
    above, below = told["views"][0, :, : H // 4 - 8].mean(), told["views"][0, :, H // 4 + 8 :].mean()
    assert above > 0.1 > -0.1 > below
    assert above + below == pytest.approx(0, abs=0.02)


def test_in_a_close_up_the_other_views_are_smaller_for_the_whole_clip():
    base, large, look_at = Doubling(), BrightAbove(), np.full((192, 320, 3), 40, np.uint8)
    look, light = Look(base, others_of(base, large), near=False), np.ones((16, 16, 3), np.float32)
    near, far = np.ones((48, 64), np.float32), np.full((48, 64), 0.3, np.float32)
    told = [look.at(look_at, matte, light, look_at) for matte in (near, far)]
    sizes = [View(view.part * (20_000 / (192 * 320)) ** 0.5, view.mirrored).size(320, 192) for view in LARGE]
    assert sizes[0] == (176, 112)
    assert large.sizes == [*sizes, *sizes]
    assert base.sizes[:2] == [(320, 192)] * 2
    assert all(one["views"].shape == (1, 3, 96, 160) for one in told)
    look.restart()
    look.at(look_at, far, light, look_at)
    assert large.sizes[len(sizes) * 2 :] == [view.size(320, 192) for view in LARGE]
