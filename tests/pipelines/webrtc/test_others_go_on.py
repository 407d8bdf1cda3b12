"""While one stranger misbehaves, another's pictures go on coming; and nothing of an ended session stays."""

import asyncio
import gc
import weakref
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from aiortc import RTCConfiguration

from livelight.sources.synthetic import SyntheticSource
from pipelines.webrtc.peer import Peer
from tests.pipelines.webrtc.honest import Counting
from tests.pipelines.webrtc.offers import OFFER
from tests.pipelines.webrtc.served import SDP, Caller, TestCamera, served, until
from tests.pipelines.webrtc.test_abuse import png

SMALL = SyntheticSource(64, 48).image


@asynccontextmanager
async def slow_requests(site):
    opened = [await asyncio.open_connection("127.0.0.1", urlsplit(site.url).port) for _ in range(40)]
    for _, writer in opened:
        writer.write(b"POST /api/envs HTTP/1.1\r\nHost: l")
    yield
    for _, writer in opened:
        writer.close()


@asynccontextmanager
async def half_open_peers(site):
    posted = [await site.http.post(site.url + "/api/sessions", data=OFFER, headers=SDP) for _ in range(5)]
    assert [response.status for response in posted] == [201, 201, 201, 503, 503]
    yield


@asynccontextmanager
async def broken_offers(site):
    lines = OFFER.splitlines()
    for number in range(len(lines)):
        cut = "\r\n".join(lines[:number] + lines[number + 1 :]) + "\r\n"
        assert (await site.http.post(site.url + "/api/sessions", data=cut, headers=SDP)).status < 504
    yield


@asynccontextmanager
async def bombs(site):
    kind = {"Content-Type": "image/png"}
    posts = [site.http.post(site.url + "/api/envs", data=png(60000, 60000), headers=kind) for _ in range(3)]
    bursting = asyncio.gather(*posts)
    yield
    assert {response.status for response in await bursting} <= {422, 429, 503}


@asynccontextmanager
async def connects(site):
    for number in range(4):
        caller = Caller(TestCamera(SMALL))
        response = await caller.call(site)
        assert response.status == 201
        if number % 2:
            await site.http.delete(site.url + response.headers["Location"])
        await caller.close()
    yield


@pytest.mark.parametrize("abuse", [slow_requests, half_open_peers, broken_offers, bombs, connects])
def test_the_pictures_of_another_go_on_all_through(abuse):
    async def run():
        async with served(sessions=4) as site:
            honest = Counting()
            assert (await honest.call(site)).status == 201
            await until(lambda: honest.count > 3)
            before = honest.count
            async with abuse(site):
                await until(lambda: honest.count > before + 3)
            after = honest.count
            await until(lambda: honest.count > after + 3)
            assert honest.connection.connectionState == "connected"
            await honest.close()

    asyncio.run(run())


def test_nothing_of_an_ended_session_stays():
    async def run():
        async with served() as site:
            ended = []
            for _ in range(3):
                caller = Caller(TestCamera(SMALL))
                response = await caller.call(site)
                ended.append(weakref.ref(site.hub.sessions[-1]))
                await until(lambda caller=caller: caller.connection.connectionState == "connected")
                await site.http.delete(site.url + response.headers["Location"])
                await caller.close()
            await until(lambda: gc.collect() >= 0 and not any(session() for session in ended))

    asyncio.run(run())


def test_a_closed_peer_begins_no_more_work():
    """A data channel that opens while its session ends once left a task behind, and with it the whole session."""
    began = []

    async def ended(_):
        pass

    async def work():
        began.append(True)

    async def run():
        peer = Peer(RTCConfiguration(iceServers=[]), ended)
        await peer.close()
        peer.spawn(work())
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
    assert began == []
