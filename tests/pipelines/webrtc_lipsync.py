"""How far sound and picture part on their way: ``python -m tests.pipelines.webrtc_lipsync [--out FILE.json]``.

A sender flashes white and beeps at the same moments; a viewer (WHEP) notes when each comes out of its decoders. Prints
the median of beep minus flash in milliseconds (positive: the sound comes later) and the delay of the picture. A
relighter that takes its time (--step-ms) shows that the sound is held back as long as the picture takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc.mediastreams import AudioStreamTrack

from livelight.fakes import IdentityRelighter
from tests.pipelines.webrtc.served import Caller, TestCamera, served
from tests.pipelines.webrtc_report import add

EVERY_S, RATE, LENGTH_S = 1.0, 30, 0.1


def due(now_s: float, start_s: float) -> bool:
    """Whether flash and beep are on."""
    return (now_s - start_s) % EVERY_S < LENGTH_S


class Beeps(AudioStreamTrack):
    """48 kHz mono, pieces of 20 ms, by the same clock as the flashes."""

    def __init__(self, start_s: float) -> None:
        super().__init__()
        self._start_s, self._index = start_s, 0

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(max(0.0, self._start_s + self._index * 0.02 - time.monotonic()))
        times = self._index * 0.02 + np.arange(960) / 48000
        wave = np.where(times % EVERY_S < LENGTH_S, 12000 * np.sin(2 * np.pi * 1000 * times), 0).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, self._index * 960, Fraction(1, 48000)
        self._index += 1
        return frame


class Watching(Caller):
    """Notes when flashes and beeps begin. seen, heard_at: monotonic seconds."""

    def __init__(self) -> None:
        super().__init__(control=False, receive=("video", "audio"))
        self.seen: list[float] = []
        self.heard_at: list[float] = []

    async def _collect(self, track) -> None:
        noted, on = (self.seen if track.kind == "video" else self.heard_at), True
        while True:
            frame = await track.recv()
            loud = frame.to_ndarray(format="gray").mean() > 128 if track.kind == "video" else _loud(frame)
            if loud and not on:
                noted.append(time.monotonic())
            on = loud


def _loud(frame: av.AudioFrame) -> bool:
    return bool(np.abs(frame.to_ndarray().astype(np.int32)).max() > 3000)


class Slow(IdentityRelighter):
    """Takes step_s for each picture."""

    step_s = 0.0

    def step(self, frame, light, state):
        time.sleep(self.step_s)
        return super().step(frame, light, state)


async def main(seconds: float, step_s: float) -> dict:
    """Figures of one run."""
    Slow.step_s = step_s
    async with served(Slow) as site:
        start_s = time.monotonic() + 1.0
        dark, white = (np.full((240, 320, 3), value, np.uint8) for value in (16, 240))
        camera = TestCamera(lambda index: white if due(index / RATE, 0.0) else dark, RATE)
        camera._start_s = start_s
        sender, viewer = Caller(camera, Beeps(start_s), control=False), Watching()
        assert (await sender.call(site, "/whip/sync")).status == 201
        assert (await viewer.call(site, "/whep/sync")).status == 201
        await asyncio.sleep(seconds + 3)
        await viewer.close()
        await sender.close()
    pairs = [(seen, min(viewer.heard_at, key=lambda at: abs(at - seen))) for seen in viewer.seen[2:]]
    apart = [1e3 * (heard - seen) for seen, heard in pairs]
    late = [1e3 * ((seen - start_s) % EVERY_S) for seen, _ in pairs]
    return {
        "step_ms": round(step_s * 1e3),
        "flashes": len(pairs),
        "beep_after_flash_ms": round(statistics.median(apart)),
        "spread_ms": round(statistics.pstdev(apart)),
        "picture_delay_ms": round(statistics.median(late)),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--step-ms", type=float, nargs="+", default=[0.0, 25.0])
    parser.add_argument("--out", type=Path, help="put the rows into this report")
    chosen = parser.parse_args()
    rows = [asyncio.run(main(chosen.seconds, step_ms / 1e3)) for step_ms in chosen.step_ms]
    for row in rows:
        print(json.dumps(row))
    if chosen.out:
        add(chosen.out, "lipsync", {"picture": f"320x240 at {RATE}", "rows": rows})
