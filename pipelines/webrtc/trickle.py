"""PATCH of WHIP and WHEP sessions: trickle ICE and ICE restart under conditional requests (RFC 9725, 4.3)."""

from __future__ import annotations

from aiohttp import web

from pipelines.webrtc.peer import Peer
from pipelines.webrtc.replies import problem, text_body
from pipelines.webrtc.sdpfrag import CONTENT_TYPE, parsed_fragment

MAX_FRAGMENT = 16 * 1024


async def patched(request: web.Request, peer: Peer) -> web.Response:
    """Trickle (204) or restart (200, new ETag); 428 without If-Match, 412 for another ICE session's."""
    fragment = parsed_fragment(await text_body(request, CONTENT_TYPE, MAX_FRAGMENT))
    match = request.headers.get("If-Match", "").strip()
    if not match:
        return problem(428, "expected an If-Match header with the session's ETag, or * for an ICE restart")
    if match == "*":
        ours = await peer.restart(fragment)
        return web.Response(text=ours, content_type=CONTENT_TYPE, headers={"ETag": f'"{peer.etag}"'})
    if f'"{peer.etag}"' not in [tag.strip() for tag in match.split(",")]:
        return problem(412, "the ETag is of another ICE session", {"ETag": f'"{peer.etag}"'})
    await peer.trickle(fragment)
    return web.Response(status=204)
