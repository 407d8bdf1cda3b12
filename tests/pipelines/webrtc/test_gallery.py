"""Pictures of the gallery, whatever kind of file the server's owner named; and no word of where it lies."""

import asyncio

import cv2
import numpy as np
import pytest

from livelight.config import RelightSettings
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.session import Problems
from tests.clips import flat, write_clip
from tests.pipelines.webrtc.offers import OFFER
from tests.pipelines.webrtc.served import SDP, served

GREEN = (40, 180, 60)


def video(path):
    return write_clip(path.with_suffix(".mp4"), [flat(GREEN, 64, 48)] * 3)


def picture(path):
    cv2.imwrite(str(path.with_suffix(".png")), flat(GREEN, 64, 48)[..., ::-1])
    return path.with_suffix(".png")


def panorama(path):
    linear = (np.array(GREEN, np.float32)[::-1] / 255) ** 2.2
    cv2.imwrite(str(path.with_suffix(".hdr")), np.broadcast_to(linear, (32, 64, 3)).copy())
    return path.with_suffix(".hdr")


@pytest.mark.parametrize("make", [video, picture, panorama])
def test_every_kind_of_background_has_a_thumbnail(tmp_path, make):
    async def run():
        async with served(background=str(make(tmp_path / "room"))) as site:
            answer = await site.http.get(site.url + "/api/backgrounds/own/thumbnail.jpg")
            assert answer.status == 200
            return cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_COLOR_RGB)

    drawn = asyncio.run(run())
    assert drawn.shape == (128, 256, 3)
    assert drawn[..., 1].mean() > 1.5 * max(drawn[..., 0].mean(), drawn[..., 2].mean())


@pytest.mark.parametrize("content", [None, b"no picture", "cut"])
@pytest.mark.parametrize("role", ["background", "env"])
def test_a_file_that_cannot_be_used_is_told_by_its_title(tmp_path, content, role):
    file = tmp_path / "the owner s room.mkv"
    if content == "cut":
        noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
        file.write_bytes(write_clip(file, list(noise)).read_bytes()[:700])
    elif content is not None:
        file.write_bytes(content)

    async def run():
        async with served(**{role: str(file)}) as site:
            thumbnail = await site.http.get(f"{site.url}/api/{role}s/own/thumbnail.jpg")
            opened = await site.http.post(site.url + "/api/sessions", data=OFFER, headers=SDP)
            assert (thumbnail.status, opened.status) == (422, 422)
            for answer in (thumbnail, opened):
                sentence = (await answer.json())["problem"]
                assert "the owner s room" in sentence
                assert str(tmp_path) not in sentence

    asyncio.run(run())


def test_a_problem_that_comes_later_names_no_path_either(tmp_path):
    file = tmp_path / "room.mp4"
    told = []

    class Channel:
        send = told.append

    async def run():
        problems = Problems(Gallery(RelightSettings(background=str(file))))
        problems.channel = Channel()
        problems(f"{file} is truncated.")
        await asyncio.sleep(0)

    asyncio.run(run())
    assert told == [{"problem": "room is truncated."}]
