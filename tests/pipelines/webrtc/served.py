"""A real server in the test's own event loop, and a caller with aiortc."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction

import aiohttp
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from livelight.fakes import IdentityRelighter
from livelight.sources.synthetic import SyntheticSource
from pipelines.webrtc.app import HUB, build_app
from pipelines.webrtc.hub import Hub
from pipelines.webrtc.listener import listening
from pipelines.webrtc.serve_settings import ServeSettings

SDP = {"Content-Type": "application/sdp"}
WAIT_S = 300.0


class Site:
    """What a test holds of a running server."""

    def __init__(self, url: str, http: aiohttp.ClientSession, hub: Hub) -> None:
        self.url, self.http, self.hub = url.rstrip("/"), http, hub


@asynccontextmanager
async def served(open_relighter=IdentityRelighter, **settings) -> AsyncIterator[Site]:
    """A server on a free port with a fake relighter, and an HTTP client."""
    chosen = ServeSettings(port=0, **settings).checked()
    app = await build_app(chosen, open_relighter)
    async with listening(app, chosen, None) as url, aiohttp.ClientSession() as http:
        yield Site(url, http, app[HUB])


class TestCamera(MediaStreamTrack):
    """Pictures at a steady rate. image(index) -> uint8 (h, w, 3)."""

    __test__ = False
    kind = "video"

    def __init__(self, image: Callable[[int], np.ndarray] | None = None, rate: int = 15) -> None:
        super().__init__()
        self._image = image or SyntheticSource(320, 240).image
        self._rate = rate
        self._index = 0
        self._start_s = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(max(0.0, self._start_s + self._index / self._rate - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(self._image(self._index), format="rgb24")
        frame.pts, frame.time_base = self._index * 90000 // self._rate, Fraction(1, 90000)
        self._index += 1
        return frame


class Caller:
    """An aiortc client. received: pictures that came back; messages: of the control channel."""

    def __init__(self, *tracks: MediaStreamTrack, control: bool = True, receive: tuple[str, ...] = ()) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.received: list[av.VideoFrame] = []
        self.heard: list[av.AudioFrame] = []
        self.messages: list[str] = []
        self._tasks: list[asyncio.Task] = []
        for track in tracks:
            self.connection.addTrack(track)
        for kind in receive:
            self.connection.addTransceiver(kind, direction="recvonly")
        self.channel = self.connection.createDataChannel("control") if control else None
        if self.channel is not None:
            self.channel.on("message", self.messages.append)
        self.connection.on("track", lambda track: self._tasks.append(asyncio.create_task(self._collect(track))))

    async def call(self, site: Site, path: str = "/api/sessions", headers=None) -> aiohttp.ClientResponse:
        """Offer, POST, take the answer."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        sdp = self.connection.localDescription.sdp
        response = await site.http.post(site.url + path, data=sdp, headers=SDP | (headers or {}))
        if response.status == 201:
            await self.connection.setRemoteDescription(RTCSessionDescription(await response.text(), "answer"))
        return response

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.connection.close()

    async def _collect(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                kept = self.received if track.kind == "video" else self.heard
                kept.append(frame)
                del kept[:-200]
        except MediaStreamError:
            return


async def until(true: Callable[[], object], wait_s: float = WAIT_S) -> None:
    """Wait until a condition holds; fails loudly when it never does."""
    end_s = time.monotonic() + wait_s
    while not true():
        if time.monotonic() > end_s:
            raise AssertionError(f"it did not come true within {wait_s} s")
        await asyncio.sleep(0.05)
