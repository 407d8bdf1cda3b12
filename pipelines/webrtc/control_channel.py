"""The data channel "control": settings and before/after from the browser; settings, problems and figures to it."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict
from typing import Any

from aiortc import RTCDataChannel
from aiortc.exceptions import InvalidStateError

from livelight.errors import LiveLightError, SettingsError
from pipelines.webrtc.changes import change_settings, public
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.stream import LiveStream

MAX_MESSAGE = 16 * 1024
_STATS_S = 1.0
_MESSAGES_A_SECOND = 120
_BACKLOG = 64 * 1024  # bytes that a peer has not yet taken: figures wait, they do not pile up


class ControlChannel:
    """One session's channel. In the event loop alone, but for ``problem``, which any thread calls."""

    def __init__(self, channel: RTCDataChannel, stream: LiveStream, gallery: Gallery) -> None:
        self._channel = channel
        self._stream = stream
        self._gallery = gallery
        self._allowed = float(_MESSAGES_A_SECOND)
        self._counted_s = time.monotonic()
        channel.on("message", self._received)

    def send(self, message: dict[str, Any]) -> None:
        """Send one JSON object, unless the channel is closed or the peer does not read."""
        if self._channel.readyState != "open" or self._channel.bufferedAmount > _BACKLOG:
            return
        try:
            self._channel.send(json.dumps(message))
        except (InvalidStateError, ConnectionError):
            return

    async def report(self) -> None:
        """Send the settings, and then the figures once a second, for ever."""
        self.send({"settings": public(self._stream.control.settings)})
        while True:
            await asyncio.sleep(_STATS_S)
            self.send({"stats": asdict(self._stream.stats())})

    def _received(self, message: str | bytes) -> None:
        if not self._permitted():
            return
        try:
            self._obey(_parsed(message))
        except LiveLightError as exc:
            self.send({"problem": str(exc)})

    def _obey(self, message: dict[str, Any]) -> None:
        unknown = set(message) - {"change", "bypass"}
        if unknown or not message:
            raise SettingsError('expected {"change": {...}} or {"bypass": true or false}')
        if "bypass" in message:
            if not isinstance(message["bypass"], bool):
                raise SettingsError("bypass: expected true or false")
            self._stream.bypass = message["bypass"]
        if "change" in message:
            settings = change_settings(self._stream.control, self._gallery, message["change"])
            self.send({"settings": public(settings)})

    def _permitted(self) -> bool:
        """Whether this peer keeps to the rate; what comes faster is dropped, with one word."""
        now_s = time.monotonic()
        self._allowed = min(self._allowed + (now_s - self._counted_s) * _MESSAGES_A_SECOND, _MESSAGES_A_SECOND)
        self._counted_s = now_s
        if self._allowed >= 1:
            self._allowed -= 1
            if self._allowed < 1:
                self.send({"problem": f"more than {_MESSAGES_A_SECOND} messages a second; some are dropped"})
            return True
        return False


def _parsed(message: str | bytes) -> dict[str, Any]:
    if not isinstance(message, str) or len(message) > MAX_MESSAGE:
        raise SettingsError(f"expected a text message of at most {MAX_MESSAGE} characters")
    try:
        parsed = json.loads(message)
    except (ValueError, RecursionError) as exc:
        raise SettingsError("expected JSON") from exc
    if not isinstance(parsed, dict):
        raise SettingsError("expected a JSON object")
    return parsed
