"""A bad line: one in twenty datagrams is lost and all are late, both ways; the stream goes on."""

import asyncio

from tests.pipelines.webrtc.bad_line import BadLine
from tests.pipelines.webrtc.served import Caller, TestCamera, served, until


def test_stream_survives_loss_and_delay():
    async def run():
        async with served() as site:
            caller = Caller(TestCamera())
            await caller.call(site)
            await until(lambda: len(caller.received) > 5)
            line = BadLine(0.05, 0.05)
            line.spoil(caller)
            before = caller.received[-1].pts
            await until(lambda: line.lost > 10 and caller.received[-1].pts > before + 3 * 90000)
            line.close()
            await caller.close()

    asyncio.run(run())
