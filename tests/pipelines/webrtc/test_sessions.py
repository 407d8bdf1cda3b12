"""A browser's session: the picture comes back relit, settings change in mid-stream, limits hold."""

import asyncio
import json

import numpy as np

from livelight.fakes import IdentityRelighter
from tests.pipelines.webrtc.served import SDP, Caller, TestCamera, served, until


class LightBrightness(IdentityRelighter):
    """A grey picture as bright as the light's right half is against its left: shows which light is on."""

    def step(self, frame, light, state):
        left, right = light.code[:, :8].mean(), light.code[:, 8:].mean()
        return frame.with_image(np.full_like(frame.image, int(255 * right / (left + right)))), (state or 0) + 1


def brightness(frame):
    return float(frame.to_ndarray(format="gray").mean())


def test_browser_session_is_relit_and_its_light_changes():
    async def run():
        async with served(LightBrightness, env="softbox-left") as site:
            caller = Caller(TestCamera())
            response = await caller.call(site)
            assert response.status == 201
            await until(lambda: len(caller.received) > 5 and caller.messages)
            first = brightness(caller.received[-1])
            settings = json.loads(caller.messages[0])["settings"]
            assert settings["env"] == "softbox-left"
            assert "tls_cert" not in settings
            caller.channel.send(json.dumps({"change": {"env": "softbox-right"}}))
            await until(lambda: abs(brightness(caller.received[-1]) - first) > 40)
            caller.channel.send(json.dumps({"change": {"env": "/etc/passwd"}}))
            await until(lambda: any("problem" in message for message in caller.messages))
            caller.channel.send(json.dumps({"bypass": True}))
            await until(lambda: np.ptp(caller.received[-1].to_ndarray(format="gray")) > 60)
            await until(lambda: any("stats" in message for message in caller.messages))
            url = site.url + response.headers["Location"]
            changed = await site.http.patch(url + "/settings", json={"intensity": 0.5})
            assert (await changed.json())["intensity"] == 0.5
            assert (await site.http.delete(url)).status == 204
            assert (await site.http.delete(url)).status == 404
            await caller.close()

    asyncio.run(run())


def test_one_session_too_many_is_told_to_come_back():
    async def run():
        async with served(sessions=1) as site:
            first, second = Caller(TestCamera()), Caller(TestCamera())
            assert (await first.call(site)).status == 201
            response = await second.call(site)
            assert response.status == 503
            assert int(response.headers["Retry-After"]) > 0
            assert "sessions" in (await response.json())["problem"]
            await first.close()
            await second.close()

    asyncio.run(run())


def test_sdp_that_is_none_is_refused_in_a_sentence():
    async def run():
        async with served() as site:
            for offer in ("", "hello", "v=0\r\n", "v=0\r\nm=video 9 X 96\r\n", "v=0\r\n" + "m=video 9 X 96\r\n" * 3):
                response = await site.http.post(site.url + "/api/sessions", data=offer, headers=SDP)
                assert response.status == 400, offer
                assert set(await response.json()) == {"problem"}
            assert site.hub.sessions == []
            assert site.hub.free == 4

    asyncio.run(run())
