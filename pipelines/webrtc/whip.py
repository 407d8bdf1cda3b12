"""WHIP (RFC 9725): any program pushes pictures and sound, to be relit and watched under a name."""

from __future__ import annotations

import re

from aiohttp import web

from pipelines.webrtc.camera_feed import NAME as CAMERA
from pipelines.webrtc.hub import Hub
from pipelines.webrtc.replies import problem, text_body
from pipelines.webrtc.session import Session
from pipelines.webrtc.sessions_api import MAX_SDP
from pipelines.webrtc.trickle import created, endpoint_options, patched, session_options

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class WhipApi:
    """Handlers of /whip/{name} and /whip/{name}/{id}."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this; every other method is answered 405."""
        return [
            web.post("/whip/{name}", self._open),
            web.options("/whip/{name}", self._options),
            web.patch("/whip/{name}/{id}", self._patch),
            web.delete("/whip/{name}/{id}", self._end),
            web.options("/whip/{name}/{id}", self._session_options),
        ]

    async def _options(self, request: web.Request) -> web.Response:
        return endpoint_options(self._hub.settings)

    async def _session_options(self, request: web.Request) -> web.Response:
        self._found(request)
        return session_options()

    async def _open(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not NAME.fullmatch(name) or name == CAMERA:
            return problem(422, "expected a name of at most 40 letters, digits, dashes that is not reserved")
        offer = await text_body(request, "application/sdp", MAX_SDP)
        session, answer = await self._hub.open(offer, back=False, name=name)
        return created(session.peer, answer, f"/whip/{name}/{session.id}", self._hub.settings)

    async def _patch(self, request: web.Request) -> web.Response:
        return await patched(request, self._found(request).peer)

    async def _end(self, request: web.Request) -> web.Response:
        await self._hub.end(self._found(request))
        return web.Response()

    def _found(self, request: web.Request) -> Session:
        session = self._hub.find(request.match_info["id"])
        if session is None or session.name != request.match_info["name"]:
            raise web.HTTPNotFound(text="there is no such WHIP session; it may have ended")
        return session
