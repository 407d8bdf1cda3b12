"""Two workers on this machine's own Ray: sessions go where room is, later requests find them, capacity is told."""

import asyncio

import aiohttp

from livelight.fakes import IdentityRelighter
from pipelines.webrtc.listener import listening
from pipelines.webrtc.serve_settings import ServeSettings
from tests.pipelines.webrtc.served import WAIT_S, Caller, Site, TestCamera, until


def test_sessions_are_placed_and_found_again(ray_of_two):
    from pipelines.webrtc.cluster import cluster_app

    async def run():
        settings = ServeSettings(port=0, sessions=1, cluster=2)
        async with (
            cluster_app(settings, IdentityRelighter) as app,
            listening(app, settings, None) as url,
            aiohttp.ClientSession() as http,
        ):
            site = Site(url, http, None)
            health = await (await http.get(site.url + "/api/health")).json()
            assert health["free"] == 2
            sender, second, third = (Caller(TestCamera()) for _ in range(3))
            pushed = await sender.call(site, "/whip/a")
            called = await second.call(site)
            places = {response.headers["Location"].split("/")[2] for response in (pushed, called)}
            assert places == {"0", "1"}
            assert (await third.call(site)).status == 503
            await until(lambda: len(second.received) > 3)
            viewer = Caller(control=False, receive=("video",))
            assert (await viewer.call(site, "/whep/a")).status == 201
            await until(lambda: len(viewer.received) > 3)
            session = site.url + called.headers["Location"]
            changed = await http.patch(session + "/settings", json={"env": "neon"})
            assert (await changed.json())["env"] == "neon"
            assert (await http.delete(session)).status == 204
            assert (await http.delete(site.url + "/w/9/api/sessions/x")).status == 502
            assert (await (await http.get(site.url + "/api/health")).json())["free"] == 1
            for caller in (sender, second, third, viewer):
                await caller.close()

    asyncio.run(asyncio.wait_for(run(), 10 * WAIT_S))
