"""WhipSink: pushes relit frames to a media server by WHIP (RFC 9725): LiveKit, MediaMTX, a CDN, another LiveLight."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urljoin

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from livelight.errors import InputError, OutputError
from livelight.frame import Frame
from pipelines.webrtc import dtls, encoders
from pipelines.webrtc.outlet import Outlet, Relit
from pipelines.webrtc.sdp import SDP_FAULTS, check_answer
from pipelines.webrtc.tracks import RelitTrack

log = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "whip+"
TOKEN_VARIABLE = "LIVELIGHT_WHIP_TOKEN"
_REDIRECTS = 4
_TIMEOUT_S = 20.0
_PAUSES_S = (1.0, 2.0, 5.0, 10.0)


class WhipSink:
    """A live Sink: ``write`` never waits, the newest frame wins; a lost connection is made again.

    url: http(s) endpoint, with or without "whip+" before it. token: sent as Bearer; by default of LIVELIGHT_WHIP_TOKEN.
    The first connection is made in the constructor, which raises OutputError in one sentence if that fails.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url.removeprefix(PREFIX)
        if not self._url.startswith(("http://", "https://")):
            raise OutputError(f"{url}: expected whip+https://HOST/PATH")
        token = token or os.environ.get(TOKEN_VARIABLE)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        dtls.install()
        encoders.install()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="livelight-whip", daemon=True)
        self._thread.start()
        self._outlet: Outlet | None = None
        self._closed = False
        try:
            self._pushing = self._wait(self._begin())
        except BaseException:
            self._end_loop()
            raise

    @property
    def name(self) -> str:
        """What to call it to people."""
        return self._url

    def write(self, frame: Frame) -> None:
        """Offer a copy of the frame to the connection, if there is one now."""
        outlet = self._outlet
        if outlet is not None:
            outlet.offer(Relit(frame.image.copy(), frame.pts, frame.time_base, frame.captured_s))

    def close(self) -> None:
        """End the WHIP session (DELETE) and the connection. May be called twice."""
        if not self._closed:
            self._closed = True
            self._wait(self._stop())
            self._end_loop()

    def abort(self) -> None:
        self.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _begin(self) -> asyncio.Task[None]:
        first = await self._connected()
        return asyncio.create_task(self._keep(first))

    async def _stop(self) -> None:
        self._pushing.cancel()
        await asyncio.gather(self._pushing, return_exceptions=True)

    async def _keep(self, push: Push) -> None:
        """Stay connected until cancelled."""
        failures = 0
        while True:
            try:
                await push.lost.wait()
            finally:
                self._outlet = None
                await push.close()
            log.warning("the connection to %s is lost; trying again", self._url)
            while True:
                await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
                try:
                    push = await self._connected()
                    failures = 0
                    break
                except OutputError as exc:
                    failures += 1
                    log.info("%s", exc)

    async def _connected(self) -> Push:
        push = Push(self._url, self._headers)
        try:
            await push.open()
        except BaseException:
            await push.close()
            raise
        self._outlet = push.outlet
        return push


class Push:
    """One WHIP session as its client. In one event loop."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = url
        self._headers = headers
        self._session_url = ""
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.outlet = Outlet()
        self.lost = asyncio.Event()
        self._connection.addTrack(RelitTrack(self.outlet))
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
        self.outlet.close()
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
