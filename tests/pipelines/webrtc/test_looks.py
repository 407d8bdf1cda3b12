"""Saved looks are the user's presets; files that they name have ids, and no path reaches a client."""

import asyncio

import cv2
import numpy as np
import pytest

from livelight.preset_store import PresetStore
from pipelines.webrtc import looks
from tests.pipelines.webrtc.served import served

PNG = cv2.imencode(".png", np.full((16, 32, 3), 120, np.uint8))[1].tobytes()


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVELIGHT_CONFIG", str(tmp_path / "config"))
    return PresetStore()


def test_both_programs_share_them(store, tmp_path):
    room = tmp_path / "my room.png"
    room.write_bytes(PNG)
    store.save("evening", {"env": "neon", "pitch": 4})
    store.save("Home", {"env": str(room)})
    store.save("lost", {"env": str(tmp_path / "gone.hdr")})

    async def run():
        async with served() as site:
            url = site.url + "/api/presets"
            assert await (await site.http.get(url)).json() == ["evening", "Home", "lost"]
            assert await (await site.http.get(url + "/EVENING")).json() == {"env": "neon", "pitch": 4}
            home = await (await site.http.get(url + "/Home")).json()
            listed = await (await site.http.get(site.url + "/api/envs")).json()
            assert {"id": home["env"], "title": "my room", "kind": "own"} in listed
            thumbnail = await site.http.get(f"{site.url}/api/envs/{home['env']}/thumbnail.jpg")
            assert thumbnail.status == 200
            lost = await site.http.get(url + "/lost")
            assert lost.status == 422
            assert str(tmp_path) not in await lost.text()
            made = await site.http.put(url + "/noon", json={"env": home["env"], "exposure": 1})
            assert made.status == 201
            assert (await site.http.put(url + "/noon", json={"env": home["env"], "exposure": 2})).status == 200
            for name in ("..", "a%2Fb", "con", "x" * 65):
                assert (await site.http.put(f"{url}/{name}", json={"env": "neon"})).status in (404, 405, 422), name
            assert (await site.http.get(url + "/nothing")).status == 404

    asyncio.run(run())
    noon = store.load("noon")
    assert noon["env"] == str(room)
    assert noon["exposure"] == 2


def test_an_uploaded_picture_outlives_the_server_with_its_look(store):
    async def run():
        async with served() as site:
            kind = {"Content-Type": "image/png"}
            item = await (await site.http.post(site.url + "/api/envs?title=Hall", data=PNG, headers=kind)).json()
            saved = await site.http.put(site.url + "/api/presets/hall", json={"env": item["id"]})
            assert saved.status == 201
        (kept,) = (store.folder / "pictures").iterdir()
        assert store.load("hall")["env"] == str(kept)
        async with served() as site:
            listed = await (await site.http.get(site.url + "/api/envs")).json()
            assert [env["title"] for env in listed if env["kind"] == "own"] == ["Hall"]
            assert (await site.http.delete(site.url + "/api/presets/hall")).status == 204
            listed = await (await site.http.get(site.url + "/api/envs")).json()
            assert [env for env in listed if env["kind"] == "own"] == []
        assert not kept.exists()

    asyncio.run(run())


def test_there_is_a_limit(store, monkeypatch):
    monkeypatch.setattr(looks, "MAX_LOOKS", 1)

    async def run():
        async with served() as site:
            url = site.url + "/api/presets"
            assert (await site.http.put(url + "/a", json={"env": "neon"})).status == 201
            assert (await site.http.put(url + "/b", json={"env": "neon"})).status == 507
            assert (await site.http.put(url + "/a", json={"env": "split"})).status == 200

    asyncio.run(run())
