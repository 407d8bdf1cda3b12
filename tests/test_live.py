"""The live loop with shipped fakes: newest frame wins, commands, faults, and no thread that stays."""

import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from livelight.errors import DeviceError, InputError, OutputError, RuntimeFailure
from livelight.fakes import IdentityRelighter, WhiteRoom
from livelight.frame import Frame
from livelight.live import LiveSession, run_live
from livelight.similar import SETTLE_FRAMES
from livelight.sinks.memory import MemorySink
from livelight.sources.real_time import RealTimeSource
from livelight.sources.synthetic import SyntheticSource


class Scripted:
    """A camera that plays a list: frames are given, errors raised, callables called (LiveSource)."""

    live, frame_count, rate, width, height = True, None, Fraction(30), 8, 6

    def __init__(self, script):
        self.script, self.ended, self.closed = script, threading.Event(), 0

    def __iter__(self):
        for item in self.script:
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, Frame):
                yield item
            else:
                item()

    def end(self):
        self.ended.set()

    def close(self):
        self.closed += 1


class Recorder(IdentityRelighter):
    """Makes pictures negative; keeps the pts and states it was given."""

    def __init__(self, error=None, fail_at=None):
        super().__init__()
        self.seen, self.states, self.error, self.fail_at = [], [], error, fail_at

    def step(self, frame, light, state):
        if len(self.seen) == self.fail_at:
            raise self.error
        self.seen.append(frame.pts)
        self.states.append(state)
        relit, state = super().step(frame, light, state)
        return relit.with_image(255 - relit.image), state


class VirtualCamera(MemorySink):
    """A memory sink that somebody watches, or not (WatchedSink)."""

    def __init__(self, watched=True):
        super().__init__()
        self.is_watched = watched

    def watched(self):
        return self.is_watched


def frame_at(pts, level=None, size=(6, 8)):
    level = pts * 7 % 251 if level is None else level
    return Frame(np.full((*size, 3), level, np.uint8), pts, Fraction(1, 30), time.monotonic())


def stepwise(frames, relighter):
    """A script that gives each frame only when the one before has been relit, so that none is dropped."""
    script = []
    for k, frame in enumerate(frames):
        script += [lambda k=k: wait_until(lambda: len(relighter.seen) >= k), frame]
    return script


def wait_until(true, limit_s=60):
    until = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.005)


def session_of(script, sink=None, relighter=None, **more):
    notices = []
    source = script if callable(script) else lambda: Scripted(script)
    return LiveSession(
        source, sink or MemorySink(), relighter or Recorder(), WhiteRoom(), notices.append, **more
    ), notices


def live_threads():
    return {t.name for t in threading.enumerate() if t.name in ("livelight-capture", "livelight-output")}


def started(session):
    """The session on a thread; its error, if any, is in the list."""
    errors = []

    def run():
        try:
            run_live(session)
        except BaseException as exc:
            errors.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, errors


def stop(session, thread):
    session.commands.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert live_threads() == set()


def test_frames_go_through_in_order_and_relit():
    relighter = Recorder()
    frames = [frame_at(k) for k in range(12)]
    session, _ = session_of(stepwise(frames, relighter), relighter=relighter)
    run_live(session)
    assert relighter.seen == list(range(12))
    shown = session.sink.frames
    assert shown[-1].pts == 11
    assert [f.pts for f in shown] == sorted({f.pts for f in shown})
    assert all(np.array_equal(f.image, 255 - frames[f.pts].image) for f in shown)
    assert session.stats.read().phase == "ended"
    assert live_threads() == set()


def test_a_slow_relighter_drops_the_oldest_and_counts():
    gate = threading.Event()

    class Slow(Recorder):
        def step(self, frame, light, state):
            assert gate.wait(60)
            return super().step(frame, light, state)

    relighter = Slow()
    frames = [frame_at(k) for k in range(40)]
    session, _ = session_of([frames[0], lambda: time.sleep(0.3), *frames[1:], gate.set], relighter=relighter)
    run_live(session)
    assert relighter.seen[0] == 0
    assert relighter.seen[-1] == 39
    figures = session.stats.read()
    assert figures.relit + figures.dropped == 40
    assert figures.dropped >= 37


def test_a_slow_consumer_gets_the_newest_and_no_queue_forms():
    gate = threading.Event()

    class SlowSink(MemorySink):
        def write(self, frame):
            super().write(frame)
            assert gate.wait(60)

    relighter = Recorder()
    frames = [frame_at(k) for k in range(30)]
    script = [*stepwise(frames, relighter), lambda: wait_until(lambda: len(relighter.seen) == 30), gate.set]
    session, _ = session_of(script, SlowSink(), relighter)
    run_live(session)
    shown = [f.pts for f in session.sink.frames]
    assert len(shown) <= 3
    assert shown[-1] == 29
    assert session.stats.read().dropped_late >= 27


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([frame_at(0), frame_at(1), frame_at(2)], [None, 1, 2]),
        ([frame_at(0), frame_at(1), frame_at(90), frame_at(91)], [None, 1, None, 1]),  # a gap, as after a suspend
        ([frame_at(50), frame_at(3), frame_at(4)], [None, None, 1]),  # the camera's clock jumps back
        ([frame_at(0), frame_at(1, size=(4, 4)), frame_at(2, size=(4, 4))], [None, None, 1]),
    ],
)
def test_breaks_in_time_and_size_start_anew(frames, expected):
    relighter = Recorder()
    session, _ = session_of(stepwise(frames, relighter), relighter=relighter)
    run_live(session)
    assert relighter.states == expected


def test_the_lights_clock_never_runs_back():
    times = []

    class Clock(WhiteRoom):
        def at(self, time_s, width, height):
            times.append(time_s)
            return super().at(time_s, width, height)

    relighter = Recorder()
    session, _ = session_of(stepwise([frame_at(k) for k in (30, 33, 3, 6, 900, 903)], relighter), relighter=relighter)
    session.lighting = Clock()
    run_live(session)
    assert times == pytest.approx([0, 0.1, 0.1, 0.2, 0.2, 0.3])


def test_a_lost_camera_is_waited_for():
    sources = []

    def open_source():
        turn = len(sources)
        if turn == 1:
            sources.append(None)
            raise DeviceError("The camera is not there.")
        sources.append(Scripted([frame_at(turn), DeviceError("It was unplugged.")] if turn < 2 else [frame_at(turn)]))
        return sources[-1]

    session, notices = session_of(open_source)
    run_live(session)
    assert [f.pts for f in session.sink.frames][-1] == 2
    assert notices == ["It was unplugged. Waiting for it.", "The camera is back."]
    assert sources[0].closed == sources[2].closed == 1
    assert live_threads() == set()


@pytest.mark.parametrize("stage", ["open", "source", "network", "sink", "light"])
def test_other_faults_come_out_and_leave_no_thread(stage):
    fault = {
        "open": InputError,
        "source": ValueError,
        "network": RuntimeFailure,
        "sink": OutputError,
        "light": KeyError,
    }[stage]("broken")

    def failing(*_):
        raise fault

    relighter = Recorder(fault, 2 if stage == "network" else None)
    source = Scripted([*stepwise([frame_at(k) for k in range(5)], relighter), *([fault] if stage == "source" else [])])
    if stage in ("network", "sink", "light"):
        source.script = [item for item in source.script if isinstance(item, Frame)] * 100
    sink = MemorySink()
    session, _ = session_of(failing if stage == "open" else lambda: source, sink, relighter)
    if stage == "sink":
        sink.write = failing
    if stage == "light":
        session.lighting.at = failing
    if stage in ("network", "sink"):
        source.script = slowly(source.script)
    with pytest.raises(type(fault), match="broken"):
        run_live(session)
    assert live_threads() == set()
    assert stage == "open" or source.closed == 1


def slowly(frames):
    """The frames one after the other, ten milliseconds apart."""
    for frame in frames:
        time.sleep(0.01)
        yield frame


def test_nobody_watches_so_the_camera_is_off():
    opened, sink = [], VirtualCamera(watched=False)

    def open_source():
        opened.append(RealTimeSource(lambda: SyntheticSource(64, 48, 30, None)))
        return opened[-1]

    session, _ = session_of(open_source, sink, size=(64, 48))
    thread, errors = started(session)
    wait_until(lambda: sink.frames)  # the standby picture
    assert session.stats.read().phase == "unwatched"
    assert opened == []
    sink.is_watched = True
    wait_until(lambda: session.stats.read().shown > 3)
    assert len(opened) == 1
    sink.is_watched = False
    wait_until(lambda: session.stats.read().phase == "unwatched")
    assert opened[0]._ended.is_set()
    sink.is_watched = True
    wait_until(lambda: len(opened) == 2)
    stop(session, thread)
    assert errors == []


def test_pause_shows_the_standby_picture_and_releases_the_camera():
    sink = VirtualCamera()
    session, _ = session_of(lambda: RealTimeSource(lambda: SyntheticSource(64, 48, 30, None)), sink, size=(64, 48))
    thread, errors = started(session)
    wait_until(lambda: session.stats.read().shown > 0)
    session.commands.pause(True)
    wait_until(lambda: session.stats.read().phase == "paused")
    before = len(sink.frames)
    wait_until(lambda: len(sink.frames) > before)
    assert "livelight-capture" not in live_threads()
    session.commands.pause(False)
    shown = session.stats.read().shown
    wait_until(lambda: session.stats.read().shown > shown)
    stop(session, thread)
    assert errors == []


def test_show_input_and_reset():
    relighter, sink = Recorder(), MemorySink()
    session, _ = session_of([], sink, relighter)
    commands = session.commands
    source = Scripted(
        [
            *stepwise([frame_at(0), frame_at(1)], relighter),
            lambda: wait_until(lambda: len(relighter.seen) == 2),
            lambda: commands.show_input(True),
            frame_at(2),
            lambda: wait_until(lambda: sink.frames and sink.frames[-1].pts == 2),
            lambda: commands.show_input(False),
            frame_at(3),
            lambda: wait_until(lambda: len(relighter.seen) == 3),
            commands.reset,
            frame_at(4),
        ]
    )
    session.open_source = lambda: source
    run_live(session)
    images = {f.pts: f.image[0, 0, 0] for f in sink.frames}
    assert images[2] == 14
    assert images[4] == 255 - 28
    assert relighter.states == [None, 1, None, None]


def test_what_stands_still_is_not_computed_again():
    session, _ = session_of([])
    stats = session.stats
    frames = [frame_at(k, level=90) for k in range(40)] + [frame_at(40, level=94)]
    source = Scripted([])
    for k, frame in enumerate(frames):
        source.script += [lambda k=k: wait_until(lambda: stats.relit + stats.skipped >= k), frame]
    session.open_source = lambda: source
    light = WhiteRoom().at(0, 8, 6)
    session.lighting.at = lambda *_: light
    run_live(session)
    assert (stats.relit, stats.skipped) == (1 + SETTLE_FRAMES + 1, 31)
    assert session.sink.frames[-1].image[0, 0, 0] == 255 - 94
    assert all(np.array_equal(f.image[0, 0], [255 - 90] * 3) for f in session.sink.frames[:-1])
    assert [f.pts for f in session.sink.frames] == sorted({f.pts for f in session.sink.frames})


def test_size_is_the_sessions():
    session, _ = session_of([frame_at(0, size=(30, 20))], size=(64, 36))
    run_live(session)
    assert session.sink.frames[0].image.shape == (36, 64, 3)


def test_it_stops_while_the_camera_is_silent_and_while_it_is_gone():
    def silent():
        source = Scripted([])
        source.script = [lambda: source.ended.wait(60)]
        return source

    def gone():
        raise DeviceError("The camera is not there.")

    for open_source in (silent, gone):
        session, _ = session_of(open_source)
        thread, errors = started(session)
        wait_until(lambda: "livelight-capture" in live_threads())
        stop(session, thread)
        assert errors == []


def test_ctrl_c_in_mid_stream_comes_out():
    session, _ = session_of(slowly([frame_at(k) for k in range(500)]), relighter=Recorder(KeyboardInterrupt(), 3))
    with pytest.raises(KeyboardInterrupt):
        run_live(session)
    assert live_threads() == set()
