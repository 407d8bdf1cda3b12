"""Latency and frame rate under load: ``python -m tests.pipelines.webrtc_load [--parts sessions] [--out FILE.json]``.

Clients are aiortc in a process of their own; each picture carries a barcode of the clock (livelight.barcode). Round
trip: from the barcode's writing to the reading of the picture that came back: both encoders, both decoders, both
jitter buffers, the engine. Server: from decoded to relit, as the server's stats say. Lines: see webrtc/bad_line.py. The
stall test stops one client from reading for a while and compares the other's delay before, during and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path

from aiortc.mediastreams import MediaStreamError

from livelight.barcode import clock_ms, elapsed_ms, read_barcode, write_barcode
from livelight.sources.synthetic import SyntheticSource
from tests.pipelines.webrtc.apart import served_apart
from tests.pipelines.webrtc.bad_line import BadLine
from tests.pipelines.webrtc.served import Caller, Site, TestCamera
from tests.pipelines.webrtc_report import add

RATE = 30
PARTS = ("sessions", "lines", "stall")
SETTLE_S = 4.0
LINES = ((0.0, 0.0), (0.01, 0.0), (0.05, 0.0), (0.0, 0.05), (0.05, 0.05))
"""Loss as a part, delay in seconds, each way."""


class Measuring(Caller):
    """Reads the barcode of what comes back. stalled: reads nothing for the while."""

    def __init__(self, width: int, height: int) -> None:
        drawn = [SyntheticSource(width, height).image(index) for index in range(0, 60, 4)]
        super().__init__(TestCamera(lambda index: write_barcode(drawn[index % len(drawn)], clock_ms()), RATE))
        self.delays: list[tuple[float, int]] = []
        self.stalled = False

    async def _collect(self, track) -> None:
        try:
            while True:
                while self.stalled:
                    await asyncio.sleep(0.05)
                frame = await track.recv()
                number = read_barcode(frame.to_ndarray(format="gray"))
                if number is not None:
                    self.delays.append((time.monotonic(), elapsed_ms(number, clock_ms())))
        except MediaStreamError:
            return

    def stats(self) -> dict:
        """The newest figures of the server for this session."""
        told = [json.loads(message) for message in self.messages[-8:]]
        return next((message["stats"] for message in reversed(told) if "stats" in message), {})

    def since(self, start_s: float) -> list[int]:
        return [delay for at_s, delay in self.delays if at_s >= start_s]


async def clients(site: Site, count: int, width: int, height: int) -> list[Measuring]:
    """So many connected clients."""
    found = []
    for _ in range(count):
        client = Measuring(width, height)
        response = await client.call(site)
        assert response.status == 201, await response.text()
        found.append(client)
    return found


async def measured(site: Site, count: int, seconds: float, width: int, height: int) -> dict:
    """One row of the table."""
    connected = await clients(site, count, width, height)
    await asyncio.sleep(SETTLE_S)
    start_s = time.monotonic()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - start_s
    rows = [client.since(start_s) for client in connected]
    delays = sorted(delay for row in rows for delay in row)
    rates = [len(row) / took_s for row in rows]
    server = [client.stats().get("latency_ms", 0.0) for client in connected]
    for client in connected:
        await client.close()
    await asyncio.sleep(1)
    return {
        "sessions": count,
        "fps_each": [round(rate, 1) for rate in rates],
        "round_trip_ms": {"median": statistics.median(delays), "p95": delays[int(0.95 * (len(delays) - 1))]}
        if delays
        else None,
        "server_ms": round(statistics.median(server), 1),
    }


async def over_bad_lines(site: Site, seconds: float, width: int, height: int) -> list[dict]:
    """Frame rate and round trip of one client over each of LINES."""
    rows = []
    for loss, delay_s in LINES:
        (client,) = await clients(site, 1, width, height)
        await asyncio.sleep(SETTLE_S)
        line = BadLine(loss, delay_s)
        line.spoil(client)
        await asyncio.sleep(1)
        start_s = time.monotonic()
        await asyncio.sleep(seconds)
        found = sorted(client.since(start_s))
        line.close()
        await client.close()
        rows.append(
            {
                "loss": loss,
                "delay_ms_each_way": round(delay_s * 1e3),
                "fps": round(len(found) / seconds, 1),
                "round_trip_ms": {"median": statistics.median(found), "p95": found[int(0.95 * (len(found) - 1))]}
                if found
                else None,
            }
        )
    return rows


async def stalled(site: Site, seconds: float, width: int, height: int) -> dict:
    """Median round trip of one client while another does not read: before, during, after; and of the other after."""
    well, ill = await clients(site, 2, width, height)
    await asyncio.sleep(SETTLE_S)
    result = {}
    for phase in ("before", "during", "after"):
        ill.stalled = phase == "during"
        if phase == "after":
            await asyncio.sleep(3)
        start_s = time.monotonic()
        await asyncio.sleep(seconds)
        found = well.since(start_s)
        result[f"{phase}_ms"] = statistics.median(found) if found else None
    server = [client.stats().get("latency_ms") for client in (well, ill)]
    for client in (well, ill):
        await client.close()
    return result | {"server_ms": server}


async def main(options: argparse.Namespace) -> None:
    """Each part against a server in a process of its own, printed and put into the report."""
    size = (options.width, options.height)
    picture = {"picture": f"{options.width}x{options.height} at {RATE}"}
    for part in options.parts:
        async with served_apart("--sessions", "16", *options.serve) as (site, _):
            runtime = (await (await site.http.get(site.url + "/api/health")).json())["runtime"]
            if part == "sessions":
                rows = [await measured(site, count, options.seconds, *size) for count in options.sessions]
            elif part == "lines":
                rows = await over_bad_lines(site, options.seconds, *size)
            else:
                rows = [await stalled(site, options.seconds, *size)]
        for row in rows:
            print(json.dumps(row), flush=True)
        if options.out:
            add(options.out, part, picture | {"runtime": runtime, "rows": rows})


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--out", type=Path, help="put the parts into this report")
    parser.add_argument("serve", nargs="*", help="options of livelight serve, after --")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(parsed()))
