"""WHIP and WHEP between aiortc peers: push, watch, trickle, conditions, restart, counter-offer."""

import asyncio
import re

import pytest
from aiortc import RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from livelight.errors import InputError
from pipelines.webrtc.sdpfrag import CONTENT_TYPE, parsed_fragment
from tests.pipelines.webrtc.served import SDP, Caller, TestCamera, served, until

FRAGMENT = {"Content-Type": CONTENT_TYPE}


def test_push_and_watch_with_sound():
    async def run():
        async with served() as site:
            sender = Caller(TestCamera(), AudioStreamTrack(), control=False)
            pushed = await sender.call(site, "/whip/studio")
            assert pushed.status == 201
            assert re.fullmatch(r"/whip/studio/\S+", pushed.headers["Location"])
            assert pushed.headers["ETag"].startswith('"')
            assert pushed.headers["Accept-Patch"] == CONTENT_TYPE
            assert "a=recvonly" in await pushed.text()
            viewers = [Caller(control=False, receive=("video", "audio")) for _ in range(2)]
            for viewer in viewers:
                watched = await viewer.call(site, "/whep/studio")
                assert watched.status == 201
                assert "a=sendonly" in await watched.text()
            await until(lambda: all(len(viewer.received) > 5 and len(viewer.heard) > 5 for viewer in viewers))
            assert (viewers[0].received[-1].width, viewers[0].received[-1].height) == (320, 240)
            again = Caller(TestCamera(), control=False)
            assert (await again.call(site, "/whip/studio")).status == 409
            assert (await site.http.delete(site.url + pushed.headers["Location"])).status == 200
            await until(lambda: not site.hub.sessions)
            assert (await site.http.delete(site.url + watched.headers["Location"])).status == 404
            late = Caller(control=False, receive=("video",))
            assert (await late.call(site, "/whep/studio")).status == 404
            for caller in (sender, again, late, *viewers):
                await caller.close()

    asyncio.run(run())


def test_options_and_other_methods():
    async def run():
        async with served(stun="stun:192.0.2.1:3478") as site:
            for path in ("/whip/a", "/whep/a"):
                options = await site.http.options(site.url + path)
                assert options.status == 204
                assert options.headers["Accept-Post"] == "application/sdp"
                assert options.headers["Link"] == '<stun:192.0.2.1:3478>; rel="ice-server"'
                for method in ("GET", "PUT", "PATCH"):
                    assert (await site.http.request(method, site.url + path)).status == 405
                wrong = await site.http.post(site.url + path, data="v=0", headers={"Content-Type": "text/plain"})
                assert wrong.status == 415

    asyncio.run(run())


def without_candidates(sdp):
    return "".join(line + "\r\n" for line in sdp.splitlines() if not line.startswith(("a=candidate", "a=end-of")))


def test_trickled_candidates_connect_and_conditions_hold():
    async def run():
        async with served() as site:
            sender = Caller(TestCamera(), control=False)
            await sender.connection.setLocalDescription(await sender.connection.createOffer())
            whole = sender.connection.localDescription.sdp
            pushed = await site.http.post(site.url + "/whip/t", data=without_candidates(whole), headers=SDP)
            assert pushed.status == 201
            await sender.connection.setRemoteDescription(RTCSessionDescription(await pushed.text(), "answer"))
            url, etag = site.url + pushed.headers["Location"], pushed.headers["ETag"]
            kept = ("a=ice-", "a=mid", "m=", "a=candidate", "a=end-of")
            fragment = "\r\n".join(line for line in whole.splitlines() if line.startswith(kept)) + "\r\n"
            assert (await site.http.patch(url, data=fragment, headers=FRAGMENT)).status == 428
            wrong = FRAGMENT | {"If-Match": '"other"'}
            assert (await site.http.patch(url, data=fragment, headers=wrong)).status == 412
            right = FRAGMENT | {"If-Match": etag}
            assert (await site.http.patch(url, data="a=nothing", headers=right)).status == 400
            assert (await site.http.patch(url, data=fragment, headers=right)).status == 204
            (session,) = site.hub.sessions
            await until(lambda: session.stream.stats().fps > 0)
            await sender.close()

    asyncio.run(run())


def test_counter_offer_is_answered_by_patch():
    async def run():
        async with served() as site:
            sender = Caller(TestCamera(), control=False)
            await sender.call(site, "/whip/c")
            viewer = Caller(control=False)
            viewer.connection.addTransceiver("video", direction="recvonly")
            offer = (await viewer.connection.createOffer()).sdp
            await viewer.close()
            unknown = offer.replace("VP8/90000", "VP9/90000").replace("H264/90000", "AV1/90000")
            refused = await site.http.post(site.url + "/whep/c", data=unknown, headers=SDP)
            assert refused.status == 406
            assert refused.content_type == "application/sdp"
            viewer = Caller(control=False)
            await viewer.connection.setRemoteDescription(RTCSessionDescription(await refused.text(), "offer"))
            await viewer.connection.setLocalDescription(await viewer.connection.createAnswer())
            url = site.url + refused.headers["Location"]
            answered = await site.http.patch(url, data=viewer.connection.localDescription.sdp, headers=SDP)
            assert answered.status == 204
            await until(lambda: len(viewer.received) > 3)
            await viewer.close()
            await sender.close()

    asyncio.run(run())


def test_ice_restart_keeps_the_stream():
    async def run():
        async with served() as site:
            sender = Caller(TestCamera(), control=False)
            pushed = await sender.call(site, "/whip/r")
            (session,) = site.hub.sessions
            await until(lambda: session.stream.stats().fps > 0)
            url, etag = site.url + pushed.headers["Location"], pushed.headers["ETag"]
            transport = sender.connection.getTransceivers()[0].receiver.transport.transport
            old = session.peer._transport()._connection
            answer = await restarted(site, url, transport)
            assert answer.headers["ETag"] != etag
            await until(lambda: session.peer._transport()._connection is not old)
            before = session.stream._previous.pts
            await until(lambda: session.stream._previous.pts > before + 90000)
            assert session.peer.connection.connectionState == "connected"
            stale = await site.http.patch(url, data="a=end-of-candidates\r\n", headers=FRAGMENT | {"If-Match": etag})
            assert stale.status == 412
            await sender.close()

    asyncio.run(run())


async def restarted(site, url, transport):
    """The client's side of an ICE restart, by aioice itself: a new connection under the old DTLS transport."""
    from aioice import Connection
    from aiortc.rtcicetransport import candidate_from_aioice, candidate_to_aioice

    from pipelines.webrtc.sdpfrag import written_fragment

    fresh = Connection(ice_controlling=True)
    await fresh.gather_candidates()
    candidates = [candidate_from_aioice(candidate) for candidate in fresh.local_candidates]
    ours = written_fragment(fresh.local_username, fresh.local_password, "video", "0", candidates)
    answer = await site.http.patch(url, data=ours, headers=FRAGMENT | {"If-Match": "*"})
    assert answer.status == 200
    theirs = parsed_fragment(await answer.text())
    fresh.remote_username, fresh.remote_password = theirs.ufrag, theirs.pwd
    for candidate in theirs.candidates:
        await fresh.add_remote_candidate(candidate_to_aioice(candidate))
    await fresh.add_remote_candidate(None)
    await fresh.connect()
    transport._send = fresh.send
    return answer


@pytest.mark.parametrize("text", ["", "a=candidate:x\r\n", "a=candidate:1 1 udp x 1.2.3.4 5 typ host\r\n"])
def test_broken_fragments_are_refused(text):
    with pytest.raises(InputError):
        parsed_fragment(text)
