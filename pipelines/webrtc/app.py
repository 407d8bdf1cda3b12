"""The web application: every route, and the guards before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from livelight.preset_store import PresetStore
from livelight.session import OpenRelighter
from pipelines.webrtc import dtls, encoders
from pipelines.webrtc.camera_api import CameraApi
from pipelines.webrtc.camera_feed import CameraFeed
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.gallery_api import GalleryApi
from pipelines.webrtc.guard import Guard
from pipelines.webrtc.hub import Hub
from pipelines.webrtc.looks import Looks
from pipelines.webrtc.metrics_api import MetricsApi
from pipelines.webrtc.openapi import OpenApi
from pipelines.webrtc.presets_api import PresetsApi
from pipelines.webrtc.replies import as_problems
from pipelines.webrtc.serve_settings import ServeSettings
from pipelines.webrtc.sessions_api import SessionsApi
from pipelines.webrtc.shared_engine import SharedEngine
from pipelines.webrtc.upload import MAX_BYTES, Uploads
from pipelines.webrtc.whep import WhepApi
from pipelines.webrtc.whip import WhipApi

HUB = web.AppKey("hub", Hub)


async def build_app(settings: ServeSettings, open_relighter: Callable[[], OpenRelighter]) -> web.Application:
    """The application, its engine running. Its clean-up ends all sessions and the engine, and removes uploads.

    Raises LiveLightError; then no engine runs.
    """
    guard = Guard(settings)
    dtls.install()
    encoders.install()
    gallery = Gallery(settings)
    engine = SharedEngine(open_relighter)
    hub = Hub(settings, gallery, engine)
    engine.start()
    try:
        return _routed(guard, gallery, engine, hub, open_relighter)
    except BaseException:
        engine.close()  # a thread that runs when Python ends would abort the process
        raise


def _routed(
    guard: Guard, gallery: Gallery, engine: SharedEngine, hub: Hub, open_relighter: Callable[[], OpenRelighter]
) -> web.Application:
    """The application with every route, and what it ends with."""
    uploads = Uploads(gallery)
    app = web.Application(middlewares=[guard.middleware, as_problems], client_max_size=MAX_BYTES)
    app[HUB] = hub
    feed = CameraFeed(gallery, open_relighter)
    camera, presets = CameraApi(feed, hub, gallery), PresetsApi(gallery, Looks(gallery, PresetStore()))
    others = (WhipApi(hub), WhepApi(hub), GalleryApi(gallery, uploads), presets, camera, MetricsApi(hub, feed))
    for api in (SessionsApi(hub), OpenApi(), *others):
        app.add_routes(api.routes())
    _add_page(app)

    async def running(app: web.Application) -> AsyncIterator[None]:
        yield
        await camera.close()
        await hub.close()
        engine.close()
        uploads.close()

    app.cleanup_ctx.append(running)
    return app


def _add_page(app: web.Application) -> None:
    """The page's own files, listed once at the start: a request picks one of them and never a path."""
    folder = Path(str(files("pipelines.webrtc") / "page"))
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in _PAGE_TYPES:
            name = file.relative_to(folder).as_posix()
            app.router.add_get(f"/page/{name}", _sender(file))
    index = folder / "index.html"
    if index.exists():
        app.router.add_get("/", _sender(index))


_PAGE_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


def _sender(file: Path) -> Handler:
    async def send(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": f"{_PAGE_TYPES[file.suffix]}; charset=utf-8", "Cache-Control": "no-cache"}
        return web.FileResponse(file, headers=headers)

    return send
