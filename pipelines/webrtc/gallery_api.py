"""HTTP: environments and backgrounds, their thumbnails, uploads."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from functools import partial

from aiohttp import web

from livelight.config import LightSettings, RelightSettings
from livelight.errors import InputError, LightError
from pipelines.webrtc import thumbnails
from pipelines.webrtc.gallery import Exhibit, Gallery, Shelf
from pipelines.webrtc.replies import body
from pipelines.webrtc.upload import MAX_BYTES, Uploads

_TYPES = ("application/octet-stream", "image/jpeg", "image/png", "image/webp", "image/vnd.radiance", "image/x-exr")


class GalleryApi:
    """Handlers of /api/envs and /api/backgrounds."""

    def __init__(self, gallery: Gallery, uploads: Uploads) -> None:
        self._gallery = gallery
        self._uploads = uploads
        self._drawn: dict[tuple[str, str], bytes] = {}
        self._drawing = asyncio.Semaphore(1)

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this."""
        found = []
        for shelf in ("envs", "backgrounds"):
            found += [
                web.get(f"/api/{shelf}", partial(self._list, shelf)),
                web.post(f"/api/{shelf}", partial(self._add, shelf)),
                web.delete(f"/api/{shelf}/{{id}}", partial(self._remove, shelf)),
            ]
        return [
            *found,
            web.get("/api/envs/{id}/thumbnail.jpg", partial(self._picture, "envs", "thumbnail", _panorama)),
            web.get("/api/envs/{id}/ball.jpg", partial(self._picture, "envs", "ball", _ball)),
            web.get("/api/backgrounds/{id}/thumbnail.jpg", partial(self._picture, "backgrounds", "cut", _background)),
        ]

    async def _list(self, shelf: Shelf, request: web.Request) -> web.Response:
        return web.json_response([item.public() for item in self._gallery.listed(shelf)])

    async def _add(self, shelf: Shelf, request: web.Request) -> web.Response:
        if request.content_type not in _TYPES:
            raise web.HTTPUnsupportedMediaType(text=f"expected Content-Type {', '.join(_TYPES)}")
        item = await self._uploads.add(shelf, request.query.get("title", ""), await body(request, MAX_BYTES))
        location = {"Location": f"/api/{shelf}/{item.id}"}
        return web.json_response(item.public(), status=201, headers=location)

    async def _remove(self, shelf: Shelf, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        if not self._gallery.remove(shelf, id_):
            raise web.HTTPNotFound(text="there is no upload with this id")
        for key in [key for key in self._drawn if key[0] == id_]:
            del self._drawn[key]
        return web.Response(status=204)

    async def _picture(
        self, shelf: Shelf, view: str, draw: Callable[[Gallery, Exhibit], bytes], request: web.Request
    ) -> web.Response:
        item = self._gallery.find(shelf, request.match_info["id"])
        if item is None:
            raise web.HTTPNotFound(text="there is nothing with this id")
        key = (item.id, view)
        if key not in self._drawn:
            async with self._drawing:
                if key not in self._drawn:
                    self._drawn[key] = await asyncio.to_thread(self._told, draw, item)
        jpeg = self._drawn[key]
        etag = f'"{hashlib.sha256(jpeg).hexdigest()[:16]}"'
        headers = {"Cache-Control": "private, max-age=3600", "ETag": etag}
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=jpeg, content_type="image/jpeg", headers=headers)

    def _told(self, draw: Callable[[Gallery, Exhibit], bytes], item: Exhibit) -> bytes:
        """What ``draw`` gives. Raises LightError, with no path in it, for a file that breaks off."""
        try:
            return draw(self._gallery, item)
        except InputError as exc:
            raise LightError(self._gallery.without_paths(str(exc))) from exc


def _panorama(gallery: Gallery, item: Exhibit) -> bytes:
    return thumbnails.panorama_jpeg(gallery.open_light(item.id, LightSettings().fov_deg))


def _ball(gallery: Gallery, item: Exhibit) -> bytes:
    return thumbnails.ball_jpeg(gallery.open_light(item.id, LightSettings().fov_deg))


def _background(gallery: Gallery, item: Exhibit) -> bytes:
    plain = RelightSettings()
    settings = plain.model_copy(update={"background": item.id})
    light = gallery.open_light(plain.env, plain.fov_deg)
    return thumbnails.backdrop_jpeg(gallery.open_background(settings, light), light)
