"""aiortc tracks: the relit picture out, sound through in step with it, and the draining of what a peer sends."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from pipelines.webrtc.outlet import Outlet

MAX_SOUND_DELAY_S = 1.0
_SOUND_KEPT = 100  # frames of 20 ms: two seconds, then the oldest go


class RelitTrack(MediaStreamTrack):
    """The pictures of an Outlet. A slow consumer gets fewer of them, never older ones."""

    kind = "video"

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._outlet = outlet

    async def recv(self) -> av.VideoFrame:
        """The newest picture with the sender's time: yuv420p where it comes with planes, else rgb24."""
        relit = await self._outlet.take()
        if relit is None or self.readyState != "live":
            self.stop()
            raise MediaStreamError
        if relit.planes is not None:
            frame = av.VideoFrame.from_ndarray(relit.planes, format="yuv420p")
        else:
            frame = av.VideoFrame.from_ndarray(relit.image, format="rgb24")
        frame.pts, frame.time_base = relit.pts, relit.time_base
        return frame


class SoundTrack(MediaStreamTrack):
    """Sound as it came, held back as long as the picture takes to be relit.

    aiortc tells a receiver when each stream was sent, not when it was taken; equal delays keep lips and voice together.
    """

    kind = "audio"

    def __init__(self, delay_s: Callable[[], float]) -> None:
        super().__init__()
        self._delay_s = delay_s
        self._held: deque[tuple[float, av.AudioFrame]] = deque(maxlen=_SOUND_KEPT)
        self._filled = asyncio.Event()

    def offer(self, frame: av.AudioFrame) -> None:
        """In the event loop: the next piece of sound."""
        self._held.append((time.monotonic(), frame))
        self._filled.set()

    def stop(self) -> None:
        super().stop()
        self._filled.set()

    async def recv(self) -> av.AudioFrame:
        """The next piece whose time has come."""
        while not self._held:
            if self.readyState != "live":
                raise MediaStreamError
            self._filled.clear()
            await self._filled.wait()
        arrived_s, frame = self._held.popleft()
        wait_s = arrived_s + min(self._delay_s(), MAX_SOUND_DELAY_S) - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        return frame


async def drained(track: MediaStreamTrack, put: Callable[[Any], None]) -> None:
    """Give every frame of a remote track to ``put`` until it ends: aiortc keeps them without bound otherwise."""
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        put(frame)
