"""WhipSink: pushes relit frames to a media server by WHIP (RFC 9725): LiveKit, MediaMTX, a CDN, another LiveLight."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from livelight.errors import OutputError
from livelight.frame import Frame
from pipelines.webrtc import dtls, encoders
from pipelines.webrtc.outlet import Outlet, Relit
from pipelines.webrtc.push import Pusher, bearer
from pipelines.webrtc.tracks import SoundTrack

T = TypeVar("T")

PREFIX = "whip+"


class WhipSink:
    """A live Sink: ``write`` never waits, the newest frame wins; a lost connection is made again.

    url: http(s) endpoint, with or without "whip+" before it. token: sent as Bearer; by default of LIVELIGHT_WHIP_TOKEN.
    The first connection is made in the constructor, which raises OutputError in one sentence if that fails.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url.removeprefix(PREFIX)
        if not self._url.startswith(("http://", "https://")):
            raise OutputError(f"{url}: expected whip+https://HOST/PATH")
        self._headers = bearer(token)
        dtls.install()
        encoders.install()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="livelight-whip", daemon=True)
        self._thread.start()
        self._written = _Written()
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
        outlet = self._written.outlet
        if outlet is not None:
            outlet.offer(Relit(frame.image.copy(), frame.pts, frame.time_base, frame.captured_s, frame.planes))

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
        pusher = Pusher(self._url, self._headers, self._written)
        first = await pusher.connected()
        return asyncio.create_task(pusher.keep(first))

    async def _stop(self) -> None:
        self._pushing.cancel()
        await asyncio.gather(self._pushing, return_exceptions=True)


class _Written:
    """What is written to the sink, as a program for the push: pictures alone (Pushed)."""

    def __init__(self) -> None:
        self.outlet: Outlet | None = None

    def new_outlet(self) -> Outlet:
        self.outlet = Outlet()
        return self.outlet

    def drop_outlet(self, outlet: Outlet) -> None:
        self.outlet = None
        outlet.close()

    def new_sound(self) -> None:
        return None

    def drop_sound(self, sound: SoundTrack) -> None:
        """There is none."""
