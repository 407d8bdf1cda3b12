"""Sound waits as long as the picture takes, keeps its order, and never waits for ever."""

import asyncio
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from pipelines.webrtc.tracks import SoundTrack

DELAY_S = 0.2


def piece(index):
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), "s16", "mono")
    frame.sample_rate, frame.pts, frame.time_base = 48000, 960 * index, Fraction(1, 48000)
    return frame


def test_sound_is_as_late_as_the_picture():
    async def run():
        track = SoundTrack(lambda: DELAY_S)
        for index in range(5):
            offered_s = time.monotonic()
            track.offer(piece(index))
            came = await track.recv()
            assert came.pts == 960 * index
            assert time.monotonic() - offered_s >= DELAY_S

    asyncio.run(run())


def test_an_absurd_delay_is_not_obeyed_and_old_sound_goes(monkeypatch):
    monkeypatch.setattr("pipelines.webrtc.tracks.MAX_SOUND_DELAY_S", 0.0)

    async def run():
        track = SoundTrack(lambda: 1e6)
        for index in range(300):
            track.offer(piece(index))
        first = await track.recv()
        assert first.pts >= 960 * 100
        track.stop()

    asyncio.run(run())


def test_the_end_is_told_to_who_waits():
    async def run():
        track = SoundTrack(lambda: 0.0)
        waiting = asyncio.create_task(track.recv())
        await asyncio.sleep(0)
        track.stop()
        with pytest.raises(MediaStreamError):
            await waiting

    asyncio.run(run())
