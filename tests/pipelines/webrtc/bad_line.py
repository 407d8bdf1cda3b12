"""A bad line between a caller and the server: datagrams are lost or late, both ways, below SRTP and above ICE.

In place of tc netem, which many kernels and all containers without its module lack.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from tests.pipelines.webrtc.served import Caller


@dataclass
class BadLine:
    """loss: part of the datagrams that vanish. delay_s: how late the others are, each way. lost: how many so far."""

    loss: float
    delay_s: float
    lost: int = 0
    _chance: random.Random = field(default_factory=lambda: random.Random(1))
    _tasks: set[asyncio.Task] = field(default_factory=set)

    def spoil(self, caller: Caller) -> None:
        """Put the line between a connected caller and the server, from now on."""
        transport = caller.connection.getTransceivers()[0].receiver.transport.transport
        send, receive = transport._send, transport._recv
        arrived: asyncio.Queue[bytes] = asyncio.Queue()

        async def sent(data: bytes) -> None:
            self._pass(data, lambda late: self._sent(transport, send, late))

        async def pulled() -> None:
            try:
                while True:
                    self._pass(await receive(), arrived.put)
            except ConnectionError:  # the caller has hung up
                return

        self._keep(pulled())
        transport._send, transport._recv = sent, arrived.get

    def close(self) -> None:
        """No more: what is on its way is lost."""
        for task in list(self._tasks):
            task.cancel()

    def _pass(self, data: bytes, on) -> None:
        if self._chance.random() < self.loss:
            self.lost += 1
        else:
            self._keep(self._late(data, on))

    async def _late(self, data: bytes, on) -> None:
        await asyncio.sleep(self.delay_s)
        await on(data)

    @staticmethod
    async def _sent(transport, send, data: bytes) -> None:
        if transport.state == "completed":
            await send(data)

    def _keep(self, work) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
