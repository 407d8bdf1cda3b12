"""Two workers: sessions go where room is, later requests find them, capacity is told; and a worker in Ray itself."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from livelight.fakes import IdentityRelighter
from pipelines.webrtc.listener import listening
from pipelines.webrtc.serve_settings import ServeSettings
from tests.pipelines.webrtc.served import Caller, Site, TestCamera, until

pytest.importorskip("ray", reason="needs pip install 'livelight[cluster]'")
from pipelines.webrtc import cluster

LONG_S = 600.0


class Here:
    """A worker in this process, asked as Ray's handle of an actor is."""

    def __init__(self, worker):
        self.ask = self
        self.remote = worker.ask


@asynccontextmanager
async def door(settings):
    """A Site before two workers of this process."""
    async with AsyncExitStack() as stack:
        workers = [cluster.Worker(settings, IdentityRelighter) for _ in range(2)]
        for worker in workers:
            await worker.start()
            stack.push_async_callback(worker.stop)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", cluster.Door([Here(worker) for worker in workers]).handle)
        url = await stack.enter_async_context(listening(app, settings, None))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Site(url, http, None)


def test_sessions_are_placed_and_found_again():
    async def run():
        async with door(ServeSettings(port=0, sessions=1)) as site:
            http = site.http
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

    asyncio.run(run())


def test_a_worker_in_ray_takes_a_session(ray_of_two, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_S", LONG_S)

    async def run():
        settings = ServeSettings(port=0, cluster=1)
        async with (
            cluster.cluster_app(settings, IdentityRelighter) as app,
            listening(app, settings, None) as url,
            aiohttp.ClientSession() as http,
        ):
            caller = Caller(TestCamera())
            called = await caller.call(Site(url, http, None))
            assert called.headers["Location"].startswith("/w/0/api/sessions/")
            await until(lambda: len(caller.received) > 3, LONG_S)
            await caller.close()

    asyncio.run(asyncio.wait_for(run(), 2 * LONG_S))
