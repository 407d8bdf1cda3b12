"""The ICE servers that a peer connection uses: those that the operator named, and no others."""

from __future__ import annotations

import os

from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

from livelight.errors import SettingsError
from pipelines.webrtc.serve_settings import ServeSettings

TURN_VARIABLE = "LIVELIGHT_TURN"


def ice_configuration(settings: ServeSettings) -> RTCConfiguration:
    """aiortc's configuration; without servers an empty list: None would ask a public one. Raises SettingsError."""
    servers = []
    for uri in (settings.stun, settings.turn):
        if uri:
            _check(uri)
    if settings.stun:
        servers.append(RTCIceServer(settings.stun))
    if settings.turn:
        user, _, password = os.environ.get(TURN_VARIABLE, "").partition(":")
        servers.append(RTCIceServer(settings.turn, user or None, password or None))
    return RTCConfiguration(iceServers=servers)


def ice_links(settings: ServeSettings) -> list[str]:
    """Link header values for WHIP and WHEP clients (RFC 9725, 4.6). The TURN password is given to those let in."""
    links = [f'<{settings.stun}>; rel="ice-server"'] if settings.stun else []
    if settings.turn:
        user, _, password = os.environ.get(TURN_VARIABLE, "").partition(":")
        links.append(
            f'<{settings.turn}>; rel="ice-server"; username="{user}"; credential="{password}"; '
            'credential-type="password"'
        )
    return links


def _check(uri: str) -> None:
    try:
        parse_stun_turn_uri(uri)
    except ValueError as exc:
        raise SettingsError(f"{uri}: expected stun:HOST:PORT or turn:HOST:PORT.") from exc
