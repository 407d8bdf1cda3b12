"""Peer: one WebRTC connection, from its offer to its end."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from livelight.errors import InputError

log = logging.getLogger(__name__)

CONNECT_S = 20.0
"""A peer that is not connected so long after its offer is let go."""

SDP_FAULTS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OperationError,
    InvalidStateError,
    InvalidAccessError,
)
"""What aiortc raises for an SDP that it cannot follow."""

_MEDIA = re.compile(r"^m=(\w+) ", re.MULTILINE)


class Peer:
    """One RTCPeerConnection. ``ended`` is awaited once, when it failed, closed or never connected.

    etag: names the ICE session, for conditional requests (RFC 9725, 4.3.1).
    """

    def __init__(self, configuration: RTCConfiguration, ended: Callable[[Peer], Awaitable[None]]) -> None:
        self.id = secrets.token_urlsafe(18)
        self.etag = secrets.token_hex(8)
        self.born_s = time.monotonic()
        self.connection = RTCPeerConnection(configuration)
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self.connection.on("connectionstatechange", self._changed)
        self.spawn(self._give_up())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine for as long as the peer lives."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def accept(self, offer: str) -> None:
        """Take the remote offer. Raises InputError for what is no usable offer."""
        check_offer(offer)
        try:
            await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        except SDP_FAULTS as exc:
            raise InputError(f"the SDP offer cannot be used ({exc or type(exc).__name__})") from exc

    async def answer(self) -> str:
        """The SDP answer, with all our candidates in it."""
        try:
            await self.connection.setLocalDescription()
        except SDP_FAULTS as exc:
            raise InputError(f"the SDP offer cannot be answered ({exc or type(exc).__name__})") from exc
        return str(self.connection.localDescription.sdp)

    async def close(self) -> None:
        """End the connection and all its work. May be called twice."""
        if self._closing:
            return
        self._closing = True
        current = asyncio.current_task()
        for task in list(self._tasks):
            if task is not current:
                task.cancel()
        await self.connection.close()

    async def _changed(self) -> None:
        if self.connection.connectionState in ("failed", "closed") and not self._closing:
            await self._ended(self)

    async def _give_up(self) -> None:
        await asyncio.sleep(CONNECT_S)
        if self.connection.connectionState != "connected":
            log.info("peer %s never connected", self.id[:6])
            await self._ended(self)


def check_offer(offer: str) -> None:
    """Raise InputError unless it is SDP with at most one video, one audio and one data section."""
    if not offer.startswith("v=0"):
        raise InputError("expected an SDP offer that begins with v=0")
    kinds = _MEDIA.findall(offer)
    if not kinds:
        raise InputError("the SDP offer has no media section")
    for kind in ("video", "audio", "application"):
        if kinds.count(kind) > 1:
            raise InputError(f"the SDP offer has {kinds.count(kind)} {kind} sections; send one")
    unknown = set(kinds) - {"video", "audio", "application"}
    if unknown:
        raise InputError("the SDP offer has a media section that is neither video, audio nor application")
