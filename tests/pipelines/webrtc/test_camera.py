"""The server's own camera: started by id, watched by WHEP, its settings changed, stopped."""

import asyncio

from livelight.config import RelightSettings
from livelight.fakes import IdentityRelighter
from pipelines.webrtc.camera_feed import CameraFeed
from pipelines.webrtc.gallery import Gallery
from tests.pipelines.webrtc.served import Caller, served, until


def test_camera_is_started_watched_and_stopped():
    async def run():
        async with served() as site:
            url = site.url + "/api/camera"
            state = await (await site.http.get(url)).json()
            assert "pattern" in [camera["id"] for camera in state["cameras"]]
            assert state["running"] is False
            for wrong in ({}, {"running": 1}, {"running": True, "camera": "/etc/passwd", "sink": "none"}):
                assert (await site.http.post(url, json=wrong)).status == 422
            viewer = Caller(control=False, receive=("video", "audio"))
            early = Caller(control=False, receive=("video",))
            assert (await early.call(site, "/whep/camera")).status == 404
            start = {"running": True, "camera": "pattern", "sink": "none"}
            started = await (await site.http.post(url, json=start)).json()
            assert started["running"] is True
            assert (await site.http.post(url, json=start)).status == 422
            assert (await viewer.call(site, "/whep/camera")).status == 201
            await until(lambda: len(viewer.received) > 3)
            assert (viewer.received[-1].width, viewer.received[-1].height) == (1280, 720)
            changed = await site.http.patch(url + "/settings", json={"env": "neon"})
            assert (await changed.json())["env"] == "neon"
            assert (await site.http.patch(url + "/settings", json={"env": "x.hdr"})).status == 422
            stopped = await (await site.http.post(url, json={"running": False})).json()
            assert stopped["running"] is False
            assert stopped["problem"] == ""
            await viewer.close()
            await early.close()

    asyncio.run(run())


class Broken(IdentityRelighter):
    """Raises what nobody foresaw."""

    def step(self, frame, light, state):
        raise ZeroDivisionError("/home/owner/secret")


def test_a_fault_that_nobody_foresaw_is_told_and_logged(caplog):
    async def run():
        feed = CameraFeed(Gallery(RelightSettings()), Broken)
        await asyncio.to_thread(feed.start, "pattern", "none")
        await until(lambda: not feed.running)
        await asyncio.to_thread(feed.stop)
        assert "log says why" in feed.problem
        assert "secret" not in feed.problem

    asyncio.run(run())
    assert ZeroDivisionError in [record.exc_info[0] for record in caplog.records if record.exc_info]
