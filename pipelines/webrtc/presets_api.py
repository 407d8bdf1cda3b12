"""HTTP: named settings. They live as long as the server; no name of a request becomes a file name."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from livelight.control import Control
from pipelines.webrtc.changes import change_settings, public
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.replies import json_body, problem

MAX_PRESETS = 64
_NAME = re.compile(r"[\w][\w .-]{0,39}")


class PresetsApi:
    """Handlers of /api/presets."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._presets: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this."""
        return [
            web.get("/api/presets", self._list),
            web.get("/api/presets/{name}", self._get),
            web.put("/api/presets/{name}", self._put),
            web.delete("/api/presets/{name}", self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(sorted(self._presets))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._found(request)[1])

    async def _put(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not _NAME.fullmatch(name):
            return problem(422, "a preset's name has at most 40 letters, digits, spaces, dots, dashes")
        if name not in self._presets and len(self._presets) >= MAX_PRESETS:
            return problem(507, f"there are {MAX_PRESETS} presets already; delete one first")
        wanted = await json_body(request)
        settings = change_settings(Control(self._gallery.start), self._gallery, wanted)
        created = name not in self._presets
        self._presets[name] = public(settings)
        return web.json_response(self._presets[name], status=201 if created else 200)

    async def _delete(self, request: web.Request) -> web.Response:
        del self._presets[self._found(request)[0]]
        return web.Response(status=204)

    def _found(self, request: web.Request) -> tuple[str, dict[str, Any]]:
        name = request.match_info["name"]
        if name not in self._presets:
            raise web.HTTPNotFound(text="there is no preset of this name")
        return name, self._presets[name]
