"""GStreamer's webrtcbin pushes by WHIP and watches by WHEP: an independent peer for both."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from tests.pipelines.webrtc.served import Caller, TestCamera, served, until

PEER = Path(__file__).with_name("gst_peer.py")
PYTHON = "/usr/bin/python3"
PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0')\n"
    "from gi.repository import Gst, GstWebRTC; Gst.init(None)\n"
    "assert all(Gst.ElementFactory.find(n) for n in ('webrtcbin', 'nicesrc', 'vp8enc', 'dtlssrtpenc'))"
)


def missing():
    """Whether the system's Python cannot make webrtcbin and what it needs."""
    try:
        return subprocess.run([PYTHON, "-c", PROBE], capture_output=True, timeout=120).returncode != 0
    except OSError:
        return True


pytestmark = pytest.mark.skipif(missing(), reason="needs Debian's gstreamer1.0-plugins-bad, -nice, python3-gi")


async def peer(mode, url, seconds):
    return await asyncio.create_subprocess_exec(
        PYTHON, str(PEER), mode, url, str(seconds), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


def test_gstreamer_watches_by_whep():
    async def run():
        async with served() as site:
            sender = Caller(TestCamera(), control=False)
            assert (await sender.call(site, "/whip/g")).status == 201
            watching = await peer("whep", site.url + "/whep/g", 60)
            said, complained = await watching.communicate()
            # It asks to end at the tenth picture; one more may come before it does.
            assert re.fullmatch(r"frames 1\d delete 200", said.decode().strip()), complained.decode()
            await sender.close()

    asyncio.run(run())


def test_gstreamer_pushes_by_whip():
    async def run():
        async with served() as site:
            pushing = await peer("whip", site.url + "/whip/g", 20)
            await until(
                lambda: pushing.returncode is not None or any(s.stream.stats().fps > 0 for s in site.hub.sessions)
            )
            assert pushing.returncode is None, (await pushing.stderr.read()).decode()
            said, complained = await pushing.communicate()
            assert said.decode().strip() == "frames 0 delete 200", complained.decode()
            assert site.hub.sessions == []

    asyncio.run(run())
