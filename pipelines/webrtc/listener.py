"""The listening socket: starts and stops the application, and bounds the connections."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from livelight.errors import SettingsError
from pipelines.webrtc.serve_settings import ServeSettings

log = logging.getLogger(__name__)

SILENCE_S = 20.0
"""A connection on which no whole request head came for so long is closed (aiohttp counts from its opening)."""

MAX_CONNECTIONS = 512
"""Open connections at once; one more is closed at once."""


@asynccontextmanager
async def listening(app: web.Application, settings: ServeSettings, tls: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Serve until the block ends; gives the URL. Raises SettingsError if the address cannot be had."""
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=SILENCE_S, shutdown_timeout=5.0)
    await runner.setup()
    assert runner.server is not None
    door = _Door(runner.server)
    try:
        try:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(door, settings.host, settings.port, ssl=tls, backlog=128)
        except OSError as exc:
            raise SettingsError(f"cannot listen on {settings.host}:{settings.port} ({exc.strerror}).") from exc
        try:
            port = server.sockets[0].getsockname()[1]
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            yield f"{'https' if tls else 'http'}://{host}:{port}/"
        finally:
            server.close()
    finally:
        await runner.cleanup()


class _Door:
    """Makes aiohttp's protocol for each connection, as long as there are not too many."""

    def __init__(self, server: web.Server) -> None:
        self._server = server

    def __call__(self) -> asyncio.Protocol:
        return self._server() if len(self._server.connections) < MAX_CONNECTIONS else _Closed()


class _Closed(asyncio.Protocol):
    """Says nothing and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        log.warning("more than %d connections; one was closed", MAX_CONNECTIONS)
        transport.close()
