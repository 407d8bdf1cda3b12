"""The server's own camera: started by id, watched by WHEP, its settings changed, stopped."""

import asyncio

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
