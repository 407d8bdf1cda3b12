"""A bad line: one in twenty datagrams of the sender is lost and all are late; the stream goes on, and recovers.

In place of tc netem, which many kernels and all containers without its module lack.
"""

import asyncio
import random

from tests.pipelines.webrtc.served import Caller, TestCamera, served, until


def spoil(caller, loss, delay_s):
    """Lose and delay what this caller sends from now on."""
    transport = caller.connection.getTransceivers()[0].receiver.transport.transport
    own, chance, loop = transport._send, random.Random(1), asyncio.get_running_loop()
    lost = []

    async def late(data):
        await asyncio.sleep(delay_s)
        if transport.state == "completed":
            await own(data)

    async def send(data):
        if chance.random() < loss:
            lost.append(len(data))
        else:
            tasks.add(task := loop.create_task(late(data)))
            task.add_done_callback(tasks.discard)

    tasks = set()
    transport._send = send
    return lost


def test_stream_survives_loss_and_delay():
    async def run():
        async with served() as site:
            caller = Caller(TestCamera())
            await caller.call(site)
            await until(lambda: len(caller.received) > 5)
            lost = spoil(caller, 0.05, 0.04)
            before = caller.received[-1].pts
            await until(lambda: len(lost) > 10 and caller.received[-1].pts > before + 10 * 90000)
            await caller.close()

    asyncio.run(run())
