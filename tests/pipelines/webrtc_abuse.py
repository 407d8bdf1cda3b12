"""Memory and manners under abuse: ``python -m tests.pipelines.webrtc_abuse [--connects 200] [--out FILE.json]``.

A server, one honest session (tests.pipelines.webrtc.honest) and the abuser, each in a process of its own; the abuser
steps back where cores are short (niceness), so that what is seen is the server's doing. Connects and disconnects by
the hundred, slow requests, half-open peers, broken offers, bombs. Prints for each phase the relit pictures a second
that came back to the honest session (of 15), on the whole and in its worst second, and the server's resident memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from livelight.sources.synthetic import SyntheticSource
from pipelines.webrtc.peer import CONNECT_S
from tests.pipelines.webrtc.apart import served_apart
from tests.pipelines.webrtc.offers import OFFER
from tests.pipelines.webrtc.served import SDP, Caller, Site, TestCamera, until
from tests.pipelines.webrtc.test_abuse import png
from tests.pipelines.webrtc_report import add

SMALL = SyntheticSource(160, 120).image
PHASES = ("quiet", "connects", "slow_requests", "half_open", "broken_offers", "bombs", "quiet_again")
SESSIONS = 8
FIRST = 24
"""Sessions before anything is measured: three times as many as the server admits at once."""

LEAST_S = 6.0
"""How long a phase is watched at least."""


class Abuse:
    """One method per phase."""

    def __init__(self, site: Site, port: int, connects: int) -> None:
        self._site, self._port, self._connects = site, port, connects

    async def first(self) -> None:
        """What the server loads when it is first used: a few sessions, an upload."""
        all_of_them, self._connects = self._connects, FIRST
        await self.connects()
        self._connects = all_of_them
        await self.bombs()

    async def quiet(self) -> None:
        await asyncio.sleep(8)

    quiet_again = quiet

    async def connects(self) -> None:
        """Whole sessions, one after the other, as fast as they come; half of them leave without a DELETE."""
        done = 0
        while done < self._connects:
            caller = Caller(TestCamera(SMALL))
            response = await caller.call(self._site)
            if response.status == 201:
                done += 1
                await until(lambda caller=caller: caller.connection.connectionState == "connected")
                if done % 2:
                    await self._site.http.delete(self._site.url + response.headers["Location"])
            else:  # 429 or 503
                await asyncio.sleep(1)
            await caller.close()

    async def slow_requests(self) -> None:
        """A hundred requests that send a letter a second and never end."""
        writers = []
        for _ in range(100):
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writers.append(writer)
        for letter in b"GET / HTTP/1.1":
            for writer in writers:
                if not writer.is_closing():
                    writer.write(bytes([letter]))
            await asyncio.sleep(1)
        for writer in writers:
            writer.close()

    async def half_open(self) -> None:
        """Offers whose senders never connect, until they are let go."""
        for _ in range(30):
            await self._site.http.post(self._site.url + "/api/sessions", data=OFFER, headers=SDP)
        await asyncio.sleep(CONNECT_S + 2)

    async def broken_offers(self) -> None:
        lines = OFFER.splitlines()
        for number in range(100):
            cut = "\r\n".join(lines[: number % len(lines)] + lines[number % len(lines) + 1 :]) + "\r\n"
            await self._site.http.post(self._site.url + "/api/sessions", data=cut, headers=SDP)
        await asyncio.sleep(CONNECT_S + 2)

    async def bombs(self) -> None:
        kind = {"Content-Type": "image/png"}
        for _ in range(8):
            await self._site.http.post(self._site.url + "/api/envs", data=png(60000, 60000), headers=kind)


class Honest:
    """The honest session's process, and what it has told: (seconds, pictures so far)."""

    def __init__(self) -> None:
        self.told: list[tuple[float, int]] = []

    @asynccontextmanager
    async def beside(self, url: str) -> AsyncIterator[None]:
        """Runs it; entered when its first pictures have come back."""
        command = (sys.executable, "-m", "tests.pipelines.webrtc.honest", url)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        reading = asyncio.create_task(self._read(process.stdout))
        try:
            await until(lambda: self.told and self.told[-1][1] > 30)
            yield
        finally:
            process.stdin.close()
            await process.wait()
            await reading

    async def _read(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            told = json.loads(line)
            self.told.append((told["at_s"], told["count"]))

    def rates(self, since_s: float) -> tuple[float, float]:
        """Pictures a second since then: the mean, and the worst second."""
        told = [one for one in self.told if one[0] >= since_s]
        each = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(told)]
        return round((told[-1][1] - told[0][1]) / (told[-1][0] - told[0][0]), 1), round(min(each), 1)


async def main(connects: int, phases: list[str], niceness: int) -> list[dict]:
    rows = []
    async with served_apart("--sessions", str(SESSIONS)) as (site, pid):
        honest = Honest()
        async with honest.beside(site.url + "/"):
            os.nice(niceness)
            process = psutil.Process(pid)
            abuse = Abuse(site, urlsplit(site.url).port, connects)
            await abuse.first()
            for phase in phases:
                rows.append(await watched(phase, getattr(abuse, phase)(), honest, process))
                print(json.dumps(rows[-1]), flush=True)
        rows.append(await emptied(site, process))
        print(json.dumps(rows[-1]), flush=True)
    return rows


async def emptied(site: Site, process: psutil.Process) -> dict:
    """The last row: when the honest session has gone too."""
    free = 0
    while free < SESSIONS:
        await asyncio.sleep(1)
        free = (await (await site.http.get(site.url + "/api/health")).json())["free"]
    await asyncio.sleep(2)
    megabytes = round(process.memory_info().rss / 1e6)
    return {"phase": "nobody", "last_mb": megabytes, "threads": process.num_threads(), "files": process.num_fds()}


async def watched(phase: str, work: Coroutine[None, None, None], honest: Honest, process: psutil.Process) -> dict:
    """One row: what the phase does to memory and to the honest session."""
    memory, started_s = [], time.monotonic()
    task = asyncio.create_task(work)
    while not task.done() or time.monotonic() - started_s < LEAST_S:
        await asyncio.sleep(1)
        memory.append(process.memory_info().rss / 1e6)
    await task
    mean, worst = honest.rates(started_s)
    return {
        "phase": phase,
        "seconds": round(time.monotonic() - started_s),
        "honest_fps": mean,
        "honest_fps_worst_second": worst,
        "highest_mb": round(max(memory)),
        "last_mb": round(memory[-1]),
        "threads": process.num_threads(),
        "files": process.num_fds(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connects", type=int, default=200)
    parser.add_argument("--phases", nargs="+", default=PHASES, choices=PHASES)
    parser.add_argument("--niceness", type=int, default=15, help="how far the abuser steps back")
    parser.add_argument("--part", default="abuse", help="name of the part of the report")
    parser.add_argument("--out", type=Path, help="put the rows into this report")
    chosen = parser.parse_args()
    found = asyncio.run(main(chosen.connects, chosen.phases, chosen.niceness))
    if chosen.out:
        add(chosen.out, chosen.part, {"connects": chosen.connects, "rows": found})
