"""WHEP (draft-ietf-wish-whep-03): any program watches what is relit, by its name."""

from __future__ import annotations

from aiohttp import web

from pipelines.webrtc.endpoint import Endpoint
from pipelines.webrtc.peer import NotAcceptable
from pipelines.webrtc.replies import text_body
from pipelines.webrtc.session import Session
from pipelines.webrtc.sessions_api import MAX_SDP
from pipelines.webrtc.viewer import Program, Viewer

RETRY_S = 2


class WhepApi(Endpoint):
    """Handlers of /whep/{name} and /whep/{name}/{id}."""

    prefix = "whep"

    async def open(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        offer = await text_body(request, "application/sdp", MAX_SDP)
        program = self.hub.program(name)
        if program is None:
            text = "nobody sends under this name now"
            raise web.HTTPNotFound(text=text, headers={"Retry-After": str(RETRY_S)})
        viewer = self.hub.new_viewer(name, program)
        try:
            answer = await viewer.watch(offer)
        except NotAcceptable:
            await self.hub.end_viewer(viewer)
            return await self._counter_offer(name, program)
        except BaseException:
            await self.hub.end_viewer(viewer)
            raise
        return self.created(viewer.peer, answer, name)

    async def _counter_offer(self, name: str, program: Program) -> web.Response:
        """406 with an offer of ours, which the viewer answers with PATCH application/sdp."""
        viewer = self.hub.new_viewer(name, program)
        try:
            offer = await viewer.propose()
        except BaseException:
            await self.hub.end_viewer(viewer)
            raise
        return self.created(viewer.peer, offer, name, status=406)

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH: the answer to a counter-offer too."""
        if request.content_type == "application/sdp":
            viewer = self.found(request)
            await viewer.peer.accept_answer(await text_body(request, "application/sdp", MAX_SDP))
            return web.Response(status=204)
        return await super().patch(request)

    def find(self, id_: str) -> Viewer | None:
        return self.hub.viewer(id_)

    async def end(self, session: Session | Viewer) -> None:
        assert isinstance(session, Viewer)
        await self.hub.end_viewer(session)
