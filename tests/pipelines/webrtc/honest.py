"""A well-behaved session in a process of its own: ``python -m tests.pipelines.webrtc.honest URL``.

Sends 320x240 at 15 pictures a second, and prints how many relit ones have come back, a line of JSON a second, until its
standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp

from tests.pipelines.webrtc.served import Caller, Site, TestCamera


class Counting(Caller):
    """Counts what comes back, and keeps none of it."""

    def __init__(self) -> None:
        super().__init__(TestCamera())
        self.count = 0

    async def _collect(self, track) -> None:
        while True:
            await track.recv()
            self.count += 1


async def main(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        caller = Counting()
        assert (await caller.call(Site(url, http, None))).status == 201
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while not ended.done():
            print(json.dumps({"at_s": time.monotonic(), "count": caller.count}), flush=True)
            await asyncio.wait([ended], timeout=1.0)
        await caller.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
