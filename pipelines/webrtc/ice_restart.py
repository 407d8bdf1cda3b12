"""ICE restart, which aiortc 1.16 lacks: another aioice connection is made under the same DTLS transport.

The new connection takes over the queue in which the DTLS transport waits for datagrams, so that keys, tracks and
encoders live on. The old one goes on working until the new one is connected (RFC 8445, 9), and stays if it never is.
This is the only file that touches private parts of RTCIceTransport.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aioice import Connection
from aiortc import RTCConfiguration, RTCIceCandidate, RTCIceGatherer
from aiortc.rtcicetransport import RTCIceTransport, candidate_from_aioice, candidate_to_aioice

from livelight.errors import InputError
from pipelines.webrtc.sdpfrag import Fragment

log = logging.getLogger(__name__)

RESTART_S = 30.0


class IceRestart:
    """One restart: ``gather`` gives our side of it, ``run`` connects and takes over."""

    def __init__(self, transport: RTCIceTransport, configuration: RTCConfiguration, remote: Fragment) -> None:
        self._transport: Any = transport
        self._remote = remote
        self._fresh: Connection = RTCIceGatherer(configuration.iceServers)._connection

    async def gather(self) -> tuple[str, str, list[RTCIceCandidate]]:
        """Our new user fragment, password and candidates. Raises InputError for unusable ones of the peer."""
        fresh = self._fresh
        fresh.ice_controlling = self._transport._connection.ice_controlling
        fresh.remote_username, fresh.remote_password = self._remote.ufrag, self._remote.pwd
        await fresh.gather_candidates()
        try:
            for candidate in self._remote.candidates:
                await fresh.add_remote_candidate(candidate_to_aioice(candidate))
        except ValueError as exc:
            await fresh.close()
            raise InputError("the SDP fragment has a candidate that cannot be used") from exc
        local = [candidate_from_aioice(candidate) for candidate in fresh.local_candidates]
        return fresh.local_username, fresh.local_password, local

    async def add(self, fragment: Fragment) -> None:
        """Candidates of the peer that came later."""
        for candidate in fragment.candidates:
            await self._fresh.add_remote_candidate(candidate_to_aioice(candidate))

    async def run(self) -> None:
        """Connect, then exchange the connections; if it does not connect, all stays as it was."""
        try:
            async with asyncio.timeout(RESTART_S):
                await self._fresh.connect()
        except (ConnectionError, TimeoutError):
            log.info("an ICE restart did not connect; the old connection stays")
            await self._fresh.close()
            return
        except asyncio.CancelledError:
            await self._fresh.close()
            raise
        await self._take_over()

    async def _take_over(self) -> None:
        transport, old, fresh = self._transport, self._transport._connection, self._fresh
        monitor = transport._RTCIceTransport__monitor_task
        if transport.state != "completed" or monitor is None:
            await fresh.close()
            return
        while not fresh._queue.empty():  # datagrams that came before the exchange
            old._queue.put_nowait(fresh._queue.get_nowait())
        fresh._queue, old._queue = old._queue, asyncio.Queue()
        transport.iceGatherer._connection = transport._connection = fresh
        transport._recv, transport._send = fresh.recv, fresh.send
        monitor.cancel()
        transport._RTCIceTransport__monitor_task = asyncio.ensure_future(transport._monitor())
        await old.close()
