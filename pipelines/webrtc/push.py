"""Pushing to a media server by WHIP (RFC 9725), as its client: one session, and one after the other for ever."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Protocol
from urllib.parse import urljoin

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from livelight.errors import InputError, OutputError
from pipelines.webrtc.outlet import Outlet
from pipelines.webrtc.sdp import SDP_FAULTS, check_answer
from pipelines.webrtc.tracks import RelitTrack, SoundTrack

log = logging.getLogger(__name__)

TOKEN_VARIABLE = "LIVELIGHT_WHIP_TOKEN"
_REDIRECTS = 4
_TIMEOUT_S = 20.0
_PAUSES_S = (1.0, 2.0, 5.0, 10.0)


def bearer(token: str | None = None) -> dict[str, str]:
    """The headers that carry ``token``, by default that of LIVELIGHT_WHIP_TOKEN."""
    token = token or os.environ.get(TOKEN_VARIABLE)
    return {"Authorization": f"Bearer {token}"} if token else {}


class Pushed(Protocol):
    """Something to push, as pipelines.webrtc.viewer.Program, but perhaps without sound."""

    def new_outlet(self) -> Outlet: ...

    def new_sound(self) -> SoundTrack | None: ...

    def drop_outlet(self, outlet: Outlet) -> None: ...

    def drop_sound(self, sound: SoundTrack) -> None: ...


class Pusher:
    """Pushes ``program`` to ``url`` until it is cancelled; a lost connection is made again. In one event loop."""

    def __init__(self, url: str, headers: dict[str, str], program: Pushed) -> None:
        self._url = url
        self._headers = headers
        self._program = program

    async def run(self) -> None:
        """Connect, over and over, until cancelled; failures go to the log."""
        await self.keep(await self._reconnected())

    async def keep(self, push: Push) -> None:
        """Go on with a push that is connected, and with others after it, until cancelled."""
        while True:
            try:
                await push.lost.wait()
            finally:
                await push.close()
            log.warning("the connection to %s is lost; trying again", self._url)
            await asyncio.sleep(_PAUSES_S[0])
            push = await self._reconnected()

    async def connected(self) -> Push:
        """One push. Raises OutputError."""
        push = Push(self._url, self._headers, self._program)
        try:
            await push.open()
        except BaseException:
            await push.close()
            raise
        return push

    async def _reconnected(self) -> Push:
        failures = 0
        while True:
            try:
                return await self.connected()
            except OutputError as exc:
                log.warning("%s", exc)
            await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
            failures += 1


class Push:
    """One WHIP session as its client. In one event loop."""

    def __init__(self, url: str, headers: dict[str, str], program: Pushed) -> None:
        self._url = url
        self._headers = headers
        self._session_url = ""
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._program = program
        self._outlet = program.new_outlet()
        self._sound = program.new_sound()
        self.lost = asyncio.Event()
        self._connection.addTrack(RelitTrack(self._outlet))
        if self._sound is not None:
            self._connection.addTrack(self._sound)
        for transceiver in self._connection.getTransceivers():
            transceiver.direction = "sendonly"
        self._connection.on("connectionstatechange", self._changed)

    async def open(self) -> None:
        """Offer, POST, take the answer. Raises OutputError."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        try:
            answer = await self._posted(self._connection.localDescription.sdp)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise OutputError(f"{self._url} cannot be reached ({exc or type(exc).__name__}).") from exc
        try:
            check_answer(answer)
            await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except (InputError, *SDP_FAULTS) as exc:
            raise OutputError(f"{self._url} answered with an SDP that cannot be used ({exc}).") from exc

    async def close(self) -> None:
        """DELETE the session, if there is one, and end the connection."""
        self._program.drop_outlet(self._outlet)
        if self._sound is not None:
            self._program.drop_sound(self._sound)
        if self._session_url:
            try:
                async with self._client() as http:
                    await http.delete(self._session_url)
            except (aiohttp.ClientError, TimeoutError, OSError) as exc:
                log.info("%s was not ended: %s", self._session_url, exc)
        await self._connection.close()

    async def _posted(self, offer: str) -> str:
        url = self._url
        async with self._client() as http:
            for _ in range(_REDIRECTS + 1):
                headers = {"Content-Type": "application/sdp"}
                async with http.post(url, data=offer, headers=headers, allow_redirects=False) as response:
                    location = response.headers.get("Location", "")
                    if response.status in (307, 308) and location:
                        url = urljoin(url, location)
                        continue
                    if response.status != 201 or not location:
                        reason = f"{response.status} {response.reason}"
                        raise OutputError(f"{url} refused the push ({reason}); check the address and {TOKEN_VARIABLE}.")
                    self._session_url = urljoin(url, location)
                    return await response.text()
        raise OutputError(f"{self._url} redirects in a circle.")

    def _client(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(headers=self._headers, timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))

    async def _changed(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self.lost.set()
