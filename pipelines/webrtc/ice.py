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
        user, password = _credential()
        servers.append(RTCIceServer(settings.turn, user or None, password or None))
    return RTCConfiguration(iceServers=servers)


def ice_links(settings: ServeSettings) -> list[str]:
    """Link header values for WHIP and WHEP clients (RFC 9725, 4.6). The TURN password is given to those let in."""
    links = [f'<{settings.stun}>; rel="ice-server"'] if settings.stun else []
    if settings.turn:
        user, password = _credential()
        links.append(
            f'<{settings.turn}>; rel="ice-server"; username="{user}"; credential="{password}"; '
            'credential-type="password"'
        )
    return links


def _credential() -> tuple[str, str]:
    """User and password for the TURN server, both empty where none are set. Raises SettingsError."""
    text = os.environ.get(TURN_VARIABLE, "")
    user, _, password = text.partition(":")
    if text and not (user and password):
        came = "no colon" if ":" not in text else "an empty part"
        raise SettingsError(f"{TURN_VARIABLE}: expected USER:PASSWORD, got {came}; set both, or neither.")
    return user, password


def _check(uri: str) -> None:
    try:
        parse_stun_turn_uri(uri)
    except ValueError as exc:
        raise SettingsError(f"{uri}: expected stun:HOST:PORT or turn:HOST:PORT.") from exc
