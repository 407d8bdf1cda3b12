"""FFmpeg's own WHIP client (its whip muxer, in the FFmpeg that PyAV carries) pushes to us: an independent peer."""

import asyncio
import sys

import av
import pytest

from tests.pipelines.webrtc.served import WAIT_S, Caller, served, until

pytestmark = pytest.mark.skipif("whip" not in av.formats_available, reason="this FFmpeg has no whip muxer")


def test_ffmpeg_pushes_and_is_watched():
    async def run():
        async with served() as site:
            ffmpeg = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.pipelines.webrtc.ffmpeg_push",
                site.url + "/whip/ffmpeg",
                stdin=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                relit = lambda: any(s.stream.stats().fps > 0 for s in site.hub.sessions)  # noqa: E731
                await until(lambda: ffmpeg.returncode is not None or relit())
                assert ffmpeg.returncode is None, (await ffmpeg.stderr.read()).decode()
                viewer = Caller(control=False, receive=("video", "audio"))
                assert (await viewer.call(site, "/whep/ffmpeg")).status == 201
                await until(lambda: len(viewer.received) > 5 and len(viewer.heard) > 5)
                await viewer.close()
                ffmpeg.stdin.close()
                await until(lambda: not site.hub.sessions)  # FFmpeg ends with DELETE
                assert await asyncio.wait_for(ffmpeg.wait(), WAIT_S) == 0
            finally:
                if ffmpeg.returncode is None:
                    ffmpeg.kill()
                    await ffmpeg.wait()

    asyncio.run(run())
