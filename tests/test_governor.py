"""The governor on a fake clock: it steps down and up, says so, and never swings between two levels."""

import numpy as np
import pytest

from livelight.governor import Governor
from livelight.lighting import Light
from livelight.quality import LEVELS
from livelight.relight import Relighter, network_size, resized_state
from livelight.runtimes import STRIDE, NetworkOutput
from livelight.sources.synthetic import SyntheticSource


class Machine:
    """Takes ``costs_s[level]`` a frame, times ``load(now_s)``; runs a governor at 30 frames a second."""

    level_names = ("a", "b", "c")

    def __init__(self, costs_ms, load=lambda now_s: 1.0):
        self.costs_s, self.load, self.level = [cost / 1e3 for cost in costs_ms], load, 0
        self.notices, self.levels = [], []
        self.governor = Governor(self, 1 / 30, self.notices.append)

    def set_level(self, level):
        self.level = level
        self.levels.append(level)

    def run(self, seconds):
        now_s = 0.0
        while now_s < seconds:
            took_s = self.costs_s[self.level] * self.load(now_s)
            self.governor.stepped(now_s, now_s + took_s)
            now_s += max(took_s, 1 / 30)
        return self


def test_a_fast_machine_stays_at_the_best_level():
    machine = Machine([20, 10, 5]).run(300)
    assert machine.levels == []
    assert machine.governor.level_name == "a"


def test_a_slow_machine_goes_down_until_it_keeps_up_and_stays():
    machine = Machine([50, 40, 25]).run(3600)
    assert machine.levels == [1, 2]
    assert "50 ms" in machine.notices[0]
    assert "going down to b" in machine.notices[0]
    assert len(machine.notices) == 2


def test_a_machine_that_makes_a_frame_in_two_seconds_is_relieved_soon():
    machine = Machine([2000, 1500, 20]).run(30)
    assert machine.levels == [1, 2]


def test_one_slow_frame_changes_nothing():
    machine = Machine([20, 10, 5], load=lambda now_s: 20.0 if 10 < now_s < 10.05 else 1.0).run(60)
    assert machine.levels == []


def test_it_comes_back_when_the_load_has_passed():
    machine = Machine([15, 12, 10], load=lambda now_s: 4.0 if 10 < now_s < 30 else 1.0).run(120)
    assert machine.levels == [1, 2, 1, 0]
    assert machine.governor.level_name == "a"


@pytest.mark.parametrize("costs_ms", [[40, 9, 5], [60, 20, 11], [35, 30, 13], [33, 32, 31], [200, 18, 17]])
def test_it_never_swings(costs_ms):
    """Whatever the levels cost: an hour sees few steps, each hold before a step up three times as long as the last."""
    assert len(Machine(costs_ms).run(3600).levels) <= 14


def test_an_engine_with_one_level_is_left_alone():
    machine = Machine([80, 40, 5])
    machine.level_names = ("a",)
    machine.run(60)
    assert machine.levels == []


class FakeRuntime:
    """Remembers what it was shown; its state has two maps."""

    name = "fake"

    def __init__(self):
        self.sizes, self.states = [], []

    def run(self, image, light, state):
        h, w = image.shape[:2]
        self.sizes.append((w, h))
        self.states.append(state)
        flat = np.ones((h, w, 3), np.float32)
        maps = tuple(np.full((1, 5, h // s, w // s), 7, np.float32) for s in (4, STRIDE))
        return NetworkOutput(flat, flat * 0, flat[..., 0], flat, flat[:16, :16], maps)


class FakeSegmenter:
    calls = 0

    def segment(self, picture):
        self.calls += 1
        return np.ones((36, 64), np.float32)


def test_levels_of_the_relighter():
    runtime, segmenter = FakeRuntime(), FakeSegmenter()
    light = Light(np.ones((16, 16, 3), np.float32), None, 0.0, 1.0, np.ones(3, np.float32))
    frames = list(SyntheticSource(320, 180, frame_count=12))
    with Relighter(runtime, segmenter) as relighter:
        assert relighter.level_names[0] == "full"
        state = None
        for level in (0, 1, 2, 3, 99, 0):
            relighter.set_level(level)
            called = segmenter.calls
            for frame in frames:
                relit, state = relighter.step(frame, light, state)
                assert relit.image.shape == frame.image.shape
            quality = LEVELS[min(level, len(LEVELS) - 1)]
            assert runtime.sizes[-1] == network_size(320, 180, quality.area)
            assert 12 // quality.matte_every <= segmenter.calls - called <= 12 // quality.matte_every + 1
    for size, maps in zip(runtime.sizes[1:], runtime.states[1:], strict=True):
        assert [m.shape for m in maps] == [(1, 5, size[1] // s, size[0] // s) for s in (4, STRIDE)]
        assert all(np.allclose(m, 7) for m in maps)


def test_a_state_keeps_its_place_when_it_is_resized():
    state = np.zeros((1, 1, 12, 20), np.float32)
    state[..., 10:] = 1
    (smaller,) = resized_state((state,), (320, 192), (160, 96))
    assert smaller.shape == (1, 1, 6, 10)
    assert smaller[0, 0, 3, 0] == 0
    assert smaller[0, 0, 3, 9] == 1
