"""WHIP (RFC 9725): any program pushes pictures and sound, to be relit and watched under a name."""

from __future__ import annotations

import re

from aiohttp import web

from pipelines.webrtc.camera_feed import NAME as CAMERA
from pipelines.webrtc.endpoint import Endpoint
from pipelines.webrtc.replies import problem, text_body
from pipelines.webrtc.session import Session
from pipelines.webrtc.sessions_api import MAX_SDP
from pipelines.webrtc.viewer import Viewer

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class WhipApi(Endpoint):
    """Handlers of /whip/{name} and /whip/{name}/{id}."""

    prefix = "whip"

    async def open(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not NAME.fullmatch(name) or name == CAMERA:
            return problem(422, "expected a name of at most 40 letters, digits, dashes that is not reserved")
        offer = await text_body(request, "application/sdp", MAX_SDP)
        session, answer = await self.hub.open(offer, back=False, name=name)
        return self.created(session.peer, answer, name)

    def find(self, id_: str) -> Session | None:
        return self.hub.find(id_)

    async def end(self, session: Session | Viewer) -> None:
        assert isinstance(session, Session)
        await self.hub.end(session)
