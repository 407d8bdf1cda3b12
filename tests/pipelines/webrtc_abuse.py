"""Memory and manners under abuse: ``python -m tests.pipelines.webrtc_abuse [--connects 200]``.

Against a server in a process of its own, while one honest session runs: connects and disconnects by the hundred, slow
requests, half-open peers, broken offers, bombs. Prints resident memory before, at its highest and after, and the honest
session's pictures a second in each phase.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Coroutine
from urllib.parse import urlsplit

import psutil

from livelight.sources.synthetic import SyntheticSource
from pipelines.webrtc.peer import CONNECT_S
from tests.pipelines.webrtc.apart import served_apart
from tests.pipelines.webrtc.offers import OFFER
from tests.pipelines.webrtc.served import SDP, Caller, Site, TestCamera, until
from tests.pipelines.webrtc.test_abuse import png

SMALL = SyntheticSource(160, 120).image
PHASES = ("quiet", "connects", "slow_requests", "half_open", "broken_offers", "bombs", "quiet_again")


class Abuse:
    """One method per phase."""

    def __init__(self, site: Site, port: int, connects: int) -> None:
        self._site, self._port, self._connects = site, port, connects

    async def quiet(self) -> None:
        await asyncio.sleep(8)

    quiet_again = quiet

    async def connects(self) -> None:
        """Whole sessions, one after the other, as fast as they come; half of them leave without a word."""
        for number in range(self._connects):
            caller = Caller(TestCamera(SMALL))
            response = await caller.call(self._site)
            if response.status == 429:
                await asyncio.sleep(float(response.headers["Retry-After"]))
            elif response.status == 201:
                await until(lambda caller=caller: caller.connection.connectionState == "connected")
                if number % 2:
                    await self._site.http.delete(self._site.url + response.headers["Location"])
            await caller.close()

    async def slow_requests(self) -> None:
        """A hundred requests that send a letter a second and never end."""
        writers = []
        for _ in range(100):
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writers.append(writer)
        for letter in b"GET / HTTP/1.1\r\nHost: l":
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


async def main(connects: int) -> None:
    async with served_apart("--sessions", "8") as (site, pid):
        process = psutil.Process(pid)
        honest = Caller(TestCamera())
        assert (await honest.call(site)).status == 201
        while not figures(honest):
            await asyncio.sleep(1)
        abuse = Abuse(site, urlsplit(site.url).port, connects)
        for phase in PHASES:
            print(json.dumps(await watched(phase, getattr(abuse, phase)(), honest, process)), flush=True)
        await honest.close()


async def watched(phase: str, work: Coroutine[None, None, None], honest: Caller, process: psutil.Process) -> dict:
    """One row: what the phase does to memory and to the honest session."""
    rates, memory, started_s = [], [], time.monotonic()
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.sleep(1)
        rates.append(figures(honest)["fps"])
        memory.append(process.memory_info().rss / 1e6)
    await task
    return {
        "phase": phase,
        "seconds": round(time.monotonic() - started_s),
        "honest_fps": round(sum(rates) / len(rates), 1),
        "highest_mb": round(max(memory)),
        "last_mb": round(memory[-1]),
        "threads": process.num_threads(),
        "files": process.num_fds(),
    }


def figures(caller: Caller) -> dict:
    """The newest that the server told this caller; empty before the first."""
    told = [message for message in map(json.loads, caller.messages) if "stats" in message]
    if told:
        caller.messages[:] = [json.dumps(told[-1])]
    return told[-1]["stats"] if told else {}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connects", type=int, default=200)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.connects))
