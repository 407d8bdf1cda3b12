"""/metrics: what Prometheus is told of the sessions, the engine and the camera."""

import asyncio
import re

from tests.pipelines.webrtc.served import Caller, TestCamera, served, until


def figure(told, name):
    """The value of a sample."""
    return float(re.search(rf"^{re.escape(name)} (\S+)$", told, re.MULTILINE)[1])


def test_prometheus_is_told_of_sessions_and_camera():
    async def run():
        async with served(sessions=1) as site:

            async def asked():
                answer = await site.http.get(site.url + "/metrics")
                assert answer.content_type == "text/plain"
                return await answer.text()

            caller, late = Caller(TestCamera()), Caller(TestCamera())
            called = await caller.call(site)
            await until(lambda: site.hub.engine.relit > 2)
            assert (await late.call(site)).status == 503
            told = await asked()
            assert figure(told, "livelight_sessions") == 1
            assert figure(told, "livelight_sessions_free") == 0
            assert figure(told, "livelight_sessions_opened_total") == 1
            assert figure(told, "livelight_sessions_refused_total") == 1
            assert figure(told, "livelight_pictures_relit_total") > 2
            assert figure(told, "livelight_engine_runs_total") > 2
            assert figure(told, "livelight_engine_busy_seconds_total") > 0
            assert figure(told, "livelight_engine_up") == 1
            assert figure(told, 'livelight_session_latency_seconds{session="worst"}') > 0
            assert 'runtime="identity"' in told
            assert called.headers["Location"].rpartition("/")[2] not in told
            assert "livelight_frames_shown_total" not in told
            start = {"running": True, "camera": "pattern", "sink": "none"}
            assert (await site.http.post(site.url + "/api/camera", json=start)).status == 200
            assert figure(await asked(), "livelight_frames_shown_total") >= 0
            await site.http.delete(site.url + called.headers["Location"])
            assert figure(await asked(), "livelight_sessions") == 0
            for one in (caller, late):
                await one.close()

    asyncio.run(run())


def test_a_token_guards_it(monkeypatch):
    monkeypatch.setenv("LIVELIGHT_TOKEN", "0123456789abcdef")

    async def run():
        async with served() as site:
            assert (await site.http.get(site.url + "/metrics")).status == 401
            allowed = {"Authorization": "Bearer 0123456789abcdef"}
            assert (await site.http.get(site.url + "/metrics", headers=allowed)).status == 200

    asyncio.run(run())
