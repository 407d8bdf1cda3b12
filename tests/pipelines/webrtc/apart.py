"""For measurements: ``livelight serve`` in a process of its own, asked by this one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from tests.pipelines.webrtc.served import Site

START_S = 600.0
COMMAND = (sys.executable, "-c", "from pipelines.cli import main; main()", "serve", "--port", "0")


@asynccontextmanager
async def served_apart(*options: str) -> AsyncIterator[tuple[Site, int]]:
    """A Site (without hub) and the process's id. All that the server says is read: a full pipe would stop it."""
    server = await asyncio.create_subprocess_exec(*COMMAND, *options, stderr=asyncio.subprocess.PIPE)
    assert server.stderr is not None
    reading = None
    try:
        async with asyncio.timeout(START_S):
            said = ""
            while " is open" not in said:
                said = (await server.stderr.readline()).decode()
                assert said, "the server ended"
        reading = asyncio.create_task(server.stderr.read())
        async with aiohttp.ClientSession() as http:
            yield Site(said.split()[1], http, None), server.pid
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()
        if reading is not None:
            await reading
