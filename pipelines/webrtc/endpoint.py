"""Endpoint: what WHIP and WHEP have in common, from OPTIONS to the end of a session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from aiohttp import web

from pipelines.webrtc.hub import Hub
from pipelines.webrtc.ice import ice_links
from pipelines.webrtc.peer import Peer
from pipelines.webrtc.sdpfrag import CONTENT_TYPE
from pipelines.webrtc.session import Session
from pipelines.webrtc.trickle import patched
from pipelines.webrtc.viewer import Viewer


class Endpoint(ABC):
    """Handlers of /PREFIX/{name} and /PREFIX/{name}/{id}; every method that is not there is answered 405."""

    prefix: ClassVar[str]

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this."""
        name, session = f"/{self.prefix}/{{name}}", f"/{self.prefix}/{{name}}/{{id}}"
        return [
            web.post(name, self.open),
            web.options(name, self._options),
            web.patch(session, self.patch),
            web.delete(session, self._end),
            web.options(session, self._session_options),
        ]

    @abstractmethod
    async def open(self, request: web.Request) -> web.Response:
        """POST: a new session, or why there is none."""

    @abstractmethod
    def find(self, id_: str) -> Session | Viewer | None:
        """The session with this id."""

    @abstractmethod
    async def end(self, session: Session | Viewer) -> None:
        """Close it."""

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH: trickle ICE, ICE restart."""
        return await patched(request, self.found(request).peer)

    def found(self, request: web.Request) -> Session | Viewer:
        """The session that the request names. Raises 404."""
        session = self.find(request.match_info["id"])
        if session is None or session.name != request.match_info["name"]:
            raise web.HTTPNotFound(text=f"there is no such {self.prefix.upper()} session; it may have ended")
        return session

    def created(self, peer: Peer, sdp: str, name: str, status: int = 201) -> web.Response:
        """The answer (or counter-offer) with all headers of a new session."""
        response = web.Response(text=sdp, content_type="application/sdp", status=status)
        response.headers["Location"] = f"/{self.prefix}/{name}/{peer.id}"
        response.headers["ETag"] = f'"{peer.etag}"'
        response.headers["Accept-Patch"] = CONTENT_TYPE
        return self._linked(response)

    async def _options(self, request: web.Request) -> web.Response:
        headers = {"Accept-Post": "application/sdp", "Allow": "OPTIONS, POST"}
        return self._linked(web.Response(status=204, headers=headers))

    async def _session_options(self, request: web.Request) -> web.Response:
        self.found(request)
        return web.Response(status=204, headers={"Accept-Patch": CONTENT_TYPE, "Allow": "DELETE, OPTIONS, PATCH"})

    async def _end(self, request: web.Request) -> web.Response:
        await self.end(self.found(request))
        return web.Response()

    def _linked(self, response: web.Response) -> web.Response:
        for link in ice_links(self.hub.settings):
            response.headers.add("Link", link)
        return response
