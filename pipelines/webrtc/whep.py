"""WHEP (draft-ietf-wish-whep-03): any program watches what is relit, by its name."""

from __future__ import annotations

from aiohttp import web

from pipelines.webrtc.hub import Hub
from pipelines.webrtc.peer import NotAcceptable
from pipelines.webrtc.replies import text_body
from pipelines.webrtc.sessions_api import MAX_SDP
from pipelines.webrtc.trickle import created, endpoint_options, patched, session_options
from pipelines.webrtc.viewer import Program, Viewer

RETRY_S = 2


class WhepApi:
    """Handlers of /whep/{name} and /whep/{name}/{id}."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this; every other method is answered 405."""
        return [
            web.post("/whep/{name}", self._open),
            web.options("/whep/{name}", self._options),
            web.patch("/whep/{name}/{id}", self._patch),
            web.delete("/whep/{name}/{id}", self._end),
            web.options("/whep/{name}/{id}", self._session_options),
        ]

    async def _options(self, request: web.Request) -> web.Response:
        return endpoint_options(self._hub.settings)

    async def _session_options(self, request: web.Request) -> web.Response:
        self._found(request)
        return session_options()

    async def _open(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        offer = await text_body(request, "application/sdp", MAX_SDP)
        program = self._hub.program(name)
        if program is None:
            text = "nobody sends under this name now"
            raise web.HTTPNotFound(text=text, headers={"Retry-After": str(RETRY_S)})
        viewer = self._hub.new_viewer(name, program)
        try:
            answer = await viewer.watch(offer)
        except NotAcceptable:
            await self._hub.end_viewer(viewer)
            return await self._counter_offer(name, program)
        except BaseException:
            await self._hub.end_viewer(viewer)
            raise
        return created(viewer.peer, answer, f"/whep/{name}/{viewer.id}", self._hub.settings)

    async def _counter_offer(self, name: str, program: Program) -> web.Response:
        """406 with an offer of ours, which the viewer answers with PATCH application/sdp."""
        viewer = self._hub.new_viewer(name, program)
        try:
            offer = await viewer.propose()
        except BaseException:
            await self._hub.end_viewer(viewer)
            raise
        return created(viewer.peer, offer, f"/whep/{name}/{viewer.id}", self._hub.settings, status=406)

    async def _patch(self, request: web.Request) -> web.Response:
        viewer = self._found(request)
        if request.content_type == "application/sdp":
            await viewer.peer.accept_answer(await text_body(request, "application/sdp", MAX_SDP))
            return web.Response(status=204)
        return await patched(request, viewer.peer)

    async def _end(self, request: web.Request) -> web.Response:
        await self._hub.end_viewer(self._found(request))
        return web.Response()

    def _found(self, request: web.Request) -> Viewer:
        viewer = self._hub.viewer(request.match_info["id"])
        if viewer is None or viewer.name != request.match_info["name"]:
            raise web.HTTPNotFound(text="there is no such WHEP session; it may have ended")
        return viewer
