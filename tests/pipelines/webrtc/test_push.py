"""``serve --push``: a stream that comes in by WHIP goes on, relit and with its sound, to another WHIP server."""

import asyncio

import pytest
from aiortc.mediastreams import AudioStreamTrack

from livelight.errors import SettingsError
from pipelines.webrtc.serve_settings import ServeSettings
from tests.pipelines.webrtc.served import Caller, TestCamera, served, until


def test_a_stream_goes_on_to_a_media_server_and_ends_there_too():
    async def run():
        async with served() as media, served(push=media.url + "/whip/from-{name}") as site:
            sender = Caller(TestCamera(), AudioStreamTrack(), control=False)
            pushed = await sender.call(site, "/whip/studio")
            await until(lambda: media.hub.named("from-studio"))
            viewer = Caller(control=False, receive=("video", "audio"))
            assert (await viewer.call(media, "/whep/from-studio")).status == 201
            await until(lambda: len(viewer.received) > 3 and len(viewer.heard) > 3)
            lost = media.hub.named("from-studio")
            await media.hub.end(lost)  # as when the media server is started anew
            await until(lambda: media.hub.named("from-studio") not in (None, lost))
            assert (await site.http.delete(site.url + pushed.headers["Location"])).status == 200
            await until(lambda: not media.hub.sessions)
            await viewer.close()
            await sender.close()

    asyncio.run(run())


def test_an_address_that_is_none_is_refused():
    with pytest.raises(SettingsError, match="--push"):
        ServeSettings(push="media.example/whip").checked()
