"""Our own WHIP client pushes to a WHIP server (ours), past a redirect, and ends its session."""

import asyncio
import time

import pytest
from aiohttp import web

from livelight.errors import OutputError
from livelight.sources.synthetic import SyntheticSource
from pipelines.webrtc.whip_sink import WhipSink
from tests.pipelines.webrtc.served import served, until


def pushed(url, stop):
    sink = WhipSink("whip+" + url)
    try:
        while not stop.is_set():
            for frame in SyntheticSource(320, 240, 15, 15):
                sink.write(frame)
                time.sleep(1 / 15)
    finally:
        sink.close()
        sink.close()


def test_push_reaches_a_server_and_ends():
    async def run():
        import threading

        async with served() as site:
            stop = threading.Event()
            pushing = asyncio.create_task(asyncio.to_thread(pushed, site.url + "/whip/out", stop))
            await until(lambda: pushing.done() or any(s.stream.stats().fps > 0 for s in site.hub.sessions))
            assert not pushing.done(), pushing.exception()
            stop.set()
            await pushing
            assert site.hub.sessions == []

    asyncio.run(run())


def test_refusals_are_told_in_a_sentence():
    async def run():
        app = web.Application()

        async def redirect(request):
            raise web.HTTPTemporaryRedirect("/whip/nowhere/at/all")

        app.router.add_post("/away", redirect)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        with pytest.raises(OutputError, match="404"):
            await asyncio.to_thread(WhipSink, f"http://127.0.0.1:{port}/away")
        await runner.cleanup()
        with pytest.raises(OutputError, match="reached"):
            await asyncio.to_thread(WhipSink, f"http://127.0.0.1:{port}/away")

    asyncio.run(run())
    with pytest.raises(OutputError, match="expected"):
        WhipSink("rtmp://example.org/x")
