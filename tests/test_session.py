import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livelight.errors import InputError, OutputError
from livelight.fakes import IdentityRelighter, WhiteRoom
from livelight.frame import Frame
from livelight.session import QUEUE_DEPTH, run_session
from livelight.side_by_side import SideBySide
from livelight.sinks.memory import MemorySink
from livelight.sources.synthetic import SyntheticSource


class ListedSource:
    """Plays given frames, then raises an error if there is one."""

    live = False
    rate = Fraction(30)
    frame_count = None

    def __init__(self, frames, error=None):
        self.frames, self.error, self.taken = frames, error, 0
        self.width, self.height = 4, 4

    def __iter__(self):
        for frame in self.frames:
            self.taken += 1
            yield frame
        if self.error:
            raise self.error

    def close(self):
        pass


class FailingSink(MemorySink):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def write(self, frame):
        if len(self.frames) == self.after:
            raise OutputError("the disk is full")
        super().write(frame)


class Watcher(IdentityRelighter):
    """Records the states it is given; may fail at one step."""

    def __init__(self, fail_at=None, error=None):
        super().__init__()
        self.states, self.fail_at, self.error = [], fail_at, error

    def step(self, frame, light, state):
        if len(self.states) == self.fail_at:
            raise self.error
        self.states.append(state)
        self.timings_ms = {"network": 1.5}
        return super().step(frame, light, state)


class Clock(WhiteRoom):
    def __init__(self):
        self.times = []

    def at(self, time_s, width, height):
        self.times.append(time_s)
        return super().at(time_s, width, height)


def frame_at(pts, size=(4, 4)):
    return Frame(np.full((*size, 3), pts % 251, np.uint8), pts, Fraction(1, 30), 0.0)


def threads():
    """The threads of a session that are alive."""
    return {t.name for t in threading.enumerate() if t.name in ("livelight-decode", "livelight-encode")}


@given(count=st.integers(0, 40))
@settings(deadline=None, max_examples=25)
def test_no_frame_is_dropped_or_changed(count):
    source, sink = SyntheticSource(16, 12, frame_count=count), MemorySink()
    run_session(source, sink, IdentityRelighter(), WhiteRoom())
    assert [frame.pts for frame in sink.frames] == list(range(count))
    assert all(np.array_equal(f.image, source.image(i)) for i, f in enumerate(sink.frames))
    assert threads() == set()
    assert not sink.closed


@given(count=st.integers(0, 20), bad=st.sampled_from(["source", "step", "sink", "interrupt"]), at=st.integers(0, 20))
@settings(deadline=None, max_examples=40)
def test_errors_of_every_thread_come_out_and_no_thread_stays(count, bad, at):
    at = min(at, count)
    frames = [frame_at(i) for i in range(count)]
    errors = {"source": InputError("x"), "step": ValueError("x"), "sink": OutputError("x"), "interrupt": None}
    source = ListedSource(frames[:at] if bad == "source" else frames, errors["source"] if bad == "source" else None)
    sink = FailingSink(at) if bad == "sink" else MemorySink()
    relighter = Watcher(at, KeyboardInterrupt() if bad == "interrupt" else ValueError("x"))
    if bad in ("source", "sink"):
        relighter.fail_at = None
    expected = {"source": InputError, "step": ValueError, "sink": OutputError, "interrupt": KeyboardInterrupt}[bad]
    if bad != "source" and at == count:
        run_session(source, sink, relighter, WhiteRoom())  # the fault lies behind the end
    else:
        with pytest.raises(expected):
            run_session(source, sink, relighter, WhiteRoom())
        assert len(sink.frames) == at  # all that was relit before the fault is written
    assert threads() == set()


def test_an_endless_source_is_not_read_far_ahead():
    source = ListedSource([frame_at(i) for i in range(100)])
    with pytest.raises(ValueError, match="stop"):
        run_session(source, MemorySink(), Watcher(5, ValueError("stop")), WhiteRoom())
    assert source.taken <= 5 + QUEUE_DEPTH + 2


def test_light_runs_on_the_clock_of_the_clip():
    light = Clock()
    run_session(SyntheticSource(8, 8, rate=10, frame_count=4, start_pts=70), MemorySink(), IdentityRelighter(), light)
    assert light.times == pytest.approx([0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([frame_at(0), frame_at(1), frame_at(2)], [None, 1, 2]),
        ([frame_at(0), frame_at(30), frame_at(61)], [None, 1, None]),  # one second is no gap, more is
        ([frame_at(0), frame_at(1, (6, 4)), frame_at(2, (6, 4))], [None, None, 1]),
        ([frame_at(9), frame_at(3), frame_at(4)], [None, None, 1]),
    ],
)
def test_state_starts_anew_after_a_gap_or_another_size(frames, expected):
    relighter = Watcher()
    run_session(ListedSource(frames), MemorySink(), relighter, WhiteRoom())
    assert relighter.states == expected


def test_stages_are_timed():
    times = run_session(SyntheticSource(8, 8, frame_count=5), MemorySink(), Watcher(), WhiteRoom())
    assert {"decode", "light", "step", "network", "encode"} == set(times.stages)
    assert times.samples_ms("network") == [1.5] * 5
    assert times.median_ms("step") >= 0


def test_side_by_side_shows_both():
    sink = MemorySink()
    run_session(SyntheticSource(16, 8, frame_count=3), sink, SideBySide(IdentityRelighter()), WhiteRoom())
    image = sink.frames[2].image
    assert image.shape == (8, 32, 3)
    assert np.array_equal(image[:, :16], image[:, 16:])
