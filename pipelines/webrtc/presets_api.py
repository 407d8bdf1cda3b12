"""HTTP: named looks, the same that ``livelight preset`` lists and ``livelight run --preset`` takes."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from livelight.control import Control
from livelight.errors import OutputError
from pipelines.webrtc.changes import change_settings, public
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.looks import Looks, TooManyLooks
from pipelines.webrtc.replies import json_body, problem

log = logging.getLogger(__name__)


class PresetsApi:
    """Handlers of /api/presets."""

    def __init__(self, gallery: Gallery, looks: Looks) -> None:
        self._gallery = gallery
        self._looks = looks

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this."""
        return [
            web.get("/api/presets", self._list),
            web.get("/api/presets/{name}", self._get),
            web.put("/api/presets/{name}", self._put),
            web.delete("/api/presets/{name}", self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(await asyncio.to_thread(self._looks.names))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(await asyncio.to_thread(self._looks.load, await self._found(request)))

    async def _put(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        created = not await asyncio.to_thread(self._looks.holds, name)
        settings = change_settings(Control(self._gallery.start), self._gallery, await json_body(request))
        try:
            await asyncio.to_thread(self._looks.save, name, settings)
        except TooManyLooks as exc:
            return problem(507, str(exc))
        except (OutputError, OSError) as exc:
            return _unkept(exc)
        return web.json_response(public(settings), status=201 if created else 200)

    async def _delete(self, request: web.Request) -> web.Response:
        try:
            await asyncio.to_thread(self._looks.remove, await self._found(request))
        except (OutputError, OSError) as exc:
            return _unkept(exc)
        return web.Response(status=204)

    async def _found(self, request: web.Request) -> str:
        name = request.match_info["name"]
        if not await asyncio.to_thread(self._looks.holds, name):
            raise web.HTTPNotFound(text="there is no preset of this name")
        return name


def _unkept(exc: Exception) -> web.Response:
    """The sentence of the error names a file of the server's owner: it goes to the log alone."""
    log.error("%s", exc)
    return problem(507, "the server cannot write its presets; its log says why")
