"""Peer: one WebRTC connection, from its offer to its end."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiortc import RTCConfiguration, RTCIceCandidate, RTCIceTransport, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import OperationError

from livelight.errors import InputError
from pipelines.webrtc.ice_restart import IceRestart
from pipelines.webrtc.sdp import SDP_FAULTS, check_answer, check_offer
from pipelines.webrtc.sdpfrag import MAX_CANDIDATES, Fragment, written_fragment

log = logging.getLogger(__name__)

CONNECT_S = 20.0
"""A peer that is not connected so long after its offer is let go."""

_UFRAG_LINE = re.compile(r"^a=ice-ufrag:(\S+)", re.MULTILINE)
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")


class NotAcceptable(InputError):
    """The offer is sound, but nothing of it can be sent or received here."""


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
        self._configuration = configuration
        self._candidates = 0
        self._restart: IceRestart | None = None
        self._restarted_ufrag = ""
        self.connection.on("connectionstatechange", self._changed)
        self.spawn(self._give_up())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine for as long as the peer lives; not at all if it is closed (a data channel may open late)."""
        if self._closing:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def accept(self, offer: str) -> None:
        """Take the remote offer. Raises InputError for what is no usable offer."""
        check_offer(offer)
        try:
            await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        except OperationError as exc:
            raise NotAcceptable("the SDP offer has no codec that is known here; offer VP8 or H264, and Opus") from exc
        except SDP_FAULTS as exc:
            raise InputError(f"the SDP offer cannot be used ({exc or type(exc).__name__})") from exc

    async def answer(self) -> str:
        """The SDP answer, with all our candidates in it."""
        try:
            await self.connection.setLocalDescription()
        except SDP_FAULTS as exc:
            raise InputError(f"the SDP offer cannot be answered ({exc or type(exc).__name__})") from exc
        return str(self.connection.localDescription.sdp)

    async def offer(self) -> str:
        """An SDP offer of ours, with all our candidates, for a peer whose own offer could not be taken."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def accept_answer(self, answer: str) -> None:
        """The peer's answer to ``offer``. Raises InputError for an unusable one."""
        if self.connection.signalingState != "have-local-offer":
            raise InputError("this session waits for no answer")
        check_answer(answer)
        try:
            await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except SDP_FAULTS as exc:
            raise InputError(f"the SDP answer cannot be used ({exc or type(exc).__name__})") from exc

    async def trickle(self, fragment: Fragment) -> None:
        """More candidates of the peer. Raises InputError for unusable ones, or too many in all."""
        if fragment.ufrag and fragment.ufrag != self._remote_ufrag():
            raise InputError("the SDP fragment belongs to another ICE session")
        self._candidates += len(fragment.candidates)
        if self._candidates > MAX_CANDIDATES:
            raise InputError(f"more than {MAX_CANDIDATES} candidates")
        if self._restart is not None:
            await self._restart.add(fragment)
            return
        transport = self._transport()
        for candidate in fragment.candidates:
            self.spawn(_added(transport, candidate))
        if fragment.ended:
            self.spawn(_added(transport, None))

    async def restart(self, fragment: Fragment) -> str:
        """Begin an ICE restart; our fragment. From then on the peer has a new etag. Raises InputError."""
        if not (_UFRAG.fullmatch(fragment.ufrag) and _PWD.fullmatch(fragment.pwd)):
            raise InputError("an ICE restart needs a=ice-ufrag and a=ice-pwd")
        restart = IceRestart(self._transport(), self._configuration, fragment)
        ufrag, pwd, candidates = await restart.gather()
        self._restart = restart
        self._restarted_ufrag = fragment.ufrag
        self._candidates = len(fragment.candidates)
        self.etag = secrets.token_hex(8)
        self.spawn(restart.run())
        kind, mid = self._first_section()
        return written_fragment(ufrag, pwd, kind, mid, candidates)

    def _transport(self) -> RTCIceTransport:
        """The one that carries everything: all sections are bundled."""
        connection = self.connection
        transceivers = connection.getTransceivers()
        if transceivers:
            return transceivers[0].receiver.transport.transport
        assert connection.sctp is not None  # an offer without any section is refused
        return connection.sctp.transport.transport

    def _first_section(self) -> tuple[str, str]:
        transceivers = self.connection.getTransceivers()
        return (transceivers[0].kind, transceivers[0].mid or "0") if transceivers else ("application", "0")

    def _remote_ufrag(self) -> str:
        if self._restarted_ufrag:
            return self._restarted_ufrag
        found = _UFRAG_LINE.search(self.connection.remoteDescription.sdp)
        return found[1] if found else ""

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


async def _added(transport: RTCIceTransport, candidate: RTCIceCandidate | None) -> None:
    """A name of mDNS may take seconds to resolve: nobody waits for it."""
    try:
        await transport.addRemoteCandidate(candidate)
    except ValueError as exc:
        log.info("a candidate was not taken: %s", exc)
