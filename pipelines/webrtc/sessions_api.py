"""HTTP: a browser's sessions, their settings, the schema, health."""

from __future__ import annotations

from aiohttp import web

from pipelines.webrtc.changes import change_settings, public
from pipelines.webrtc.hub import Hub
from pipelines.webrtc.ice import ice_links
from pipelines.webrtc.replies import json_body, problem, text_body
from pipelines.webrtc.schema import schema
from pipelines.webrtc.session import Session

MAX_SDP = 64 * 1024


class SessionsApi:
    """Handlers of /api/sessions, /api/schema and /api/health."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this."""
        return [
            web.get("/api/schema", self._schema),
            web.get("/api/health", self._health),
            web.post("/api/sessions", self._open),
            web.delete("/api/sessions/{id}", self._end),
            web.get("/api/sessions/{id}/settings", self._settings),
            web.patch("/api/sessions/{id}/settings", self._change),
        ]

    async def _schema(self, request: web.Request) -> web.Response:
        return web.json_response(schema())

    async def _health(self, request: web.Request) -> web.Response:
        if self._hub.engine.failure is not None:
            return problem(503, "the engine has stopped; restart the server")
        capacity = {"sessions": len(self._hub.sessions), "free": self._hub.free}
        return web.json_response({"ok": True, "runtime": self._hub.engine.runtime_name, **capacity})

    async def _open(self, request: web.Request) -> web.Response:
        offer = await text_body(request, "application/sdp", MAX_SDP)
        session, answer = await self._hub.open(offer, back=True)
        response = web.Response(text=answer, content_type="application/sdp", status=201)
        response.headers["Location"] = f"/api/sessions/{session.id}"
        for link in ice_links(self._hub.settings):
            response.headers.add("Link", link)
        return response

    async def _end(self, request: web.Request) -> web.Response:
        await self._hub.end(self._found(request))
        return web.Response(status=204)

    async def _settings(self, request: web.Request) -> web.Response:
        return web.json_response(public(self._found(request).stream.control.settings))

    async def _change(self, request: web.Request) -> web.Response:
        session = self._found(request)
        settings = change_settings(session.stream.control, self._hub.gallery, await json_body(request))
        return web.json_response(public(settings))

    def _found(self, request: web.Request) -> Session:
        session = self._hub.find(request.match_info["id"])
        if session is None:
            raise web.HTTPNotFound(text="there is no session with this id; it may have ended")
        return session
