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

import aiohttp
import psutil

from pipelines.webrtc.peer import CONNECT_S
from tests.pipelines.webrtc.offers import OFFER
from tests.pipelines.webrtc.served import SDP, Caller, Site, TestCamera
from tests.pipelines.webrtc.test_abuse import png

PHASES = ("quiet", "connects", "slow_requests", "half_open", "broken_offers", "bombs", "quiet_again")


class Abuse:
    """One method per phase."""

    def __init__(self, site: Site, port: int, connects: int) -> None:
        self._site, self._port, self._connects = site, port, connects

    async def quiet(self) -> None:
        await asyncio.sleep(10)

    quiet_again = quiet

    async def connects(self) -> None:
        """Whole sessions, one after the other, as fast as they come; half of them leave without a word."""
        for number in range(self._connects):
            caller = Caller(TestCamera())
            response = await caller.call(self._site)
            if response.status == 429:
                await asyncio.sleep(float(response.headers["Retry-After"]))
            elif response.status == 201 and number % 2:
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


async def main(port: int, connects: int) -> None:
    server = await asyncio.create_subprocess_exec(
        "livelight", "serve", "--port", str(port), "--sessions", "8", stderr=asyncio.subprocess.PIPE
    )
    assert server.stderr is not None
    process = psutil.Process(server.pid)
    try:
        await asyncio.wait_for(server.stderr.readuntil(b" is open"), 300)
        async with aiohttp.ClientSession() as http:
            site = Site(f"http://127.0.0.1:{port}", http, None)
            honest = Caller(TestCamera())
            assert (await honest.call(site)).status == 201
            await asyncio.sleep(15)
            abuse = Abuse(site, port, connects)
            for phase in PHASES:
                stats, started_s = [], time.monotonic()
                work = asyncio.create_task(getattr(abuse, phase)())
                while not work.done():
                    await asyncio.sleep(1)
                    told = [json.loads(message) for message in honest.messages if "stats" in message]
                    del honest.messages[:-4]
                    stats.append((told[-1]["stats"]["fps"], process.memory_info().rss / 1e6))
                await work
                fps = sum(rate for rate, _ in stats) / len(stats)
                row = {
                    "phase": phase,
                    "seconds": round(time.monotonic() - started_s),
                    "honest_fps": round(fps, 1),
                    "highest_mb": round(max(mb for _, mb in stats)),
                    "last_mb": round(stats[-1][1]),
                    "threads": process.num_threads(),
                    "files": process.num_fds(),
                }
                print(json.dumps(row), flush=True)
            await honest.close()
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8795)
    parser.add_argument("--connects", type=int, default=200)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.port, chosen.connects))
