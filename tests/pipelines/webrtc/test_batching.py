"""Pictures of several sessions that wait at the same moment go through the engine in one run."""

import asyncio
import threading
from fractions import Fraction

import av
import numpy as np

from livelight.config import RelightSettings
from livelight.control import Control
from livelight.errors import RuntimeFailure
from livelight.fakes import IdentityRelighter
from livelight.lighting import Light
from pipelines.webrtc.shared_engine import SharedEngine
from pipelines.webrtc.stream import FAULT, LiveStream
from tests.pipelines.webrtc.served import WAIT_S, until

LIGHT = Light(np.ones((16, 16, 3), np.float32), None, 0.0, 1.0, np.ones(3, np.float32))


class OneLight:
    """Lighting that never changes."""

    def at(self, time_s, width, height):
        return LIGHT

    def close(self):
        pass


class BrokenLight(OneLight):
    """Raises what nobody foresaw while ``fails``."""

    fails = True

    def at(self, time_s, width, height):
        if self.fails:
            raise ZeroDivisionError("no such light")
        return LIGHT


class Together(IdentityRelighter):
    """Takes up to three pictures of one size; counts each stream's frames in its state, and waits for ``go``.

    runs: what each run of the engine held, as (width, state before) of each picture; warming up is left out.
    poison: a pts at which it raises what nobody foresaw.
    """

    poison = -1

    def __init__(self):
        super().__init__()
        self.max_batch = 3
        self.runs = []
        self.busy, self.go = threading.Event(), threading.Event()
        self.fails = False

    def step(self, frame, light, state):
        return self.step_many([(frame, light, state)])[0]

    def batch_key(self, frame, light):
        return frame.width

    def step_many(self, jobs):
        if jobs[0][0].width < 100:
            self.busy.set()
            assert self.go.wait(WAIT_S)
            self.runs.append([(frame.width, state) for frame, _, state in jobs])
            if any(frame.pts == self.poison for frame, _, _ in jobs):
                raise OverflowError("34, Numerical result out of range")
            if self.fails:
                raise RuntimeFailure("the engine has failed")
        return [(frame, (state or 0) + 1) for frame, _, state in jobs]


def picture(width, pts):
    frame = av.VideoFrame.from_ndarray(np.zeros((16, width, 3), np.uint8), format="rgb24")
    frame.pts, frame.time_base = pts, Fraction(1, 30)
    return frame


async def with_streams(count, work):
    """Run ``work(relighter, engine, streams, problems)`` with an engine and so many streams, then end them."""
    relighter, problems = Together(), []
    engine = SharedEngine(lambda: relighter)
    engine.start()
    streams = [LiveStream(Control(RelightSettings()), OneLight(), problems.append) for _ in range(count)]
    for stream in streams:
        engine.add(stream)
    try:
        await work(relighter, engine, streams, problems)
    finally:
        relighter.go.set()
        await asyncio.to_thread(engine.close)
        for stream in streams:
            stream.close()
    assert engine.failure is None


def test_those_that_wait_go_together_and_nobody_waits_for_company():
    async def work(relighter, engine, streams, problems):
        outlets = [stream.outlets.new() for stream in streams]
        streams[0].put(picture(32, 0))
        assert await asyncio.to_thread(relighter.busy.wait, WAIT_S)
        for stream, width in zip(streams, (32, 32, 48, 32, 32), strict=True):
            stream.put(picture(width, 1))
        relighter.go.set()
        for outlet in outlets:
            assert (await outlet.take()) is not None
        await until(lambda: engine.relit == 6)
        assert relighter.runs == [[(32, None)], [(32, 1), (32, None)], [(48, None)], [(32, None)] * 2]
        assert engine.runs == 4
        assert problems == []

    asyncio.run(with_streams(5, work))


def test_a_fault_of_the_engine_is_told_to_all_and_the_streams_go_on():
    async def work(relighter, engine, streams, problems):
        streams[0].put(picture(32, 0))
        assert await asyncio.to_thread(relighter.busy.wait, WAIT_S)
        for stream in streams:
            stream.put(picture(32, 1))
        relighter.fails = True
        relighter.go.set()
        await until(lambda: len(problems) == 4)
        relighter.fails = False
        outlet = streams[2].outlets.new()
        streams[2].put(picture(32, 2))
        assert (await outlet.take()).pts == 2
        assert relighter.runs[-1] == [(32, None)]

    asyncio.run(with_streams(3, work))


def test_what_nobody_foresaw_fails_its_own_stream_alone(caplog):
    async def work(relighter, engine, streams, problems):
        outlets = [stream.outlets.new() for stream in streams]
        streams[0].put(picture(32, 0))
        assert await asyncio.to_thread(relighter.busy.wait, WAIT_S)
        for stream, pts in zip(streams, (7, 13, 8), strict=True):
            stream.put(picture(32, pts))
        relighter.poison = 13
        relighter.go.set()
        await until(lambda: len(problems) == 1)
        for pts in (13, 13, 9):  # told once while it comes again, and over when it stays away
            so_far = len(relighter.runs)
            streams[1].put(picture(32, pts))
            await until(lambda so_far=so_far: len(relighter.runs) > so_far)
        assert (await outlets[1].take()).pts == 9
        assert [(await outlets[k].take()).pts for k in (0, 2)] == [7, 8]
        assert relighter.runs[-1] == [(32, None)]
        assert problems == [FAULT]
        (record,) = [record for record in caplog.records if record.exc_info]
        assert record.exc_info[0] is OverflowError

    asyncio.run(with_streams(3, work))


def test_a_light_that_breaks_fails_its_own_stream_alone():
    async def work(relighter, engine, streams, problems):
        relighter.go.set()
        broken = streams[0]._lighting = BrokenLight()
        outlets = [stream.outlets.new() for stream in streams]
        for stream in streams:
            stream.put(picture(32, 0))
        assert (await outlets[1].take()).pts == 0
        await until(lambda: problems == [FAULT])
        broken.fails = False
        streams[0].put(picture(32, 1))
        assert (await outlets[0].take()).pts == 1

    asyncio.run(with_streams(2, work))
