"""HTTP: this machine's camera and virtual camera. Devices are named by the ids that GET lists."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from livelight.errors import SettingsError
from pipelines.webrtc.camera_feed import NAME, CameraFeed, Device, cameras, sinks
from pipelines.webrtc.changes import change_settings, public
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.hub import Hub
from pipelines.webrtc.replies import json_body


class CameraApi:
    """Handlers of /api/camera. While the camera runs it can be watched at /whep/camera."""

    def __init__(self, feed: CameraFeed, hub: Hub, gallery: Gallery) -> None:
        self._feed = feed
        self._hub = hub
        self._gallery = gallery

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this."""
        return [
            web.get("/api/camera", self._state),
            web.post("/api/camera", self._switch),
            web.patch("/api/camera/settings", self._change),
        ]

    async def close(self) -> None:
        """Stop the camera."""
        await asyncio.to_thread(self._feed.stop)

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(await self._described())

    async def _switch(self, request: web.Request) -> web.Response:
        wanted = await json_body(request)
        if not isinstance(wanted, dict) or not isinstance(wanted.get("running"), bool):
            raise SettingsError('expected {"camera": id, "sink": id, "running": true or false}')
        if wanted["running"]:
            chosen = (str(wanted.get("camera", "")), str(wanted.get("sink", "")))
            await asyncio.to_thread(self._feed.start, *chosen)
            self._hub.programs[NAME] = self._feed
        else:
            self._hub.programs.pop(NAME, None)
            await asyncio.to_thread(self._feed.stop)
            await self._hub.end_viewers(self._feed)
        return web.json_response(await self._described())

    async def _change(self, request: web.Request) -> web.Response:
        return web.json_response(public(change_settings(self._feed.control, self._gallery, await json_body(request))))

    async def _described(self) -> dict[str, Any]:
        found, targets = await asyncio.to_thread(lambda: (cameras(), sinks()))
        feed = self._feed
        chosen = {"camera": feed.camera, "sink": feed.sink} if feed.camera else {}
        return {
            "cameras": [_shown(device) for device in found],
            "sinks": [_shown(device) for device in targets],
            "running": feed.running,
            "settings": public(feed.control.settings),
            "stats": feed.figures(),
            "problem": feed.problem,
            **chosen,
        }


def _shown(device: Device) -> dict[str, str]:
    return {"id": device.id, "title": device.title}
