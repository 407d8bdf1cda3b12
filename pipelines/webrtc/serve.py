"""``livelight serve``: listen until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys

from livelight.errors import MissingExtra, SettingsError
from pipelines.webrtc.serve_settings import ServeSettings


def serve(settings: ServeSettings) -> None:
    """Serve the page and all interfaces. Raises LiveLightError if it may not or cannot listen."""
    for package in ("aiohttp", "aiortc"):
        try:
            __import__(package)
        except ImportError as exc:
            raise MissingExtra(package, "webrtc", "livelight serve") from exc
    asyncio.run(_serve(settings.checked()))


async def _serve(settings: ServeSettings) -> None:
    from pipelines.engine import open_relighter
    from pipelines.webrtc.app import build_app
    from pipelines.webrtc.listener import listening

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt instead
            break
    app = await build_app(settings, lambda: open_relighter(settings))
    async with listening(app, settings, tls_context(settings)) as url:
        print(f"livelight: {url} is open; Ctrl-C ends it", file=sys.stderr, flush=True)
        await stop.wait()


def tls_context(settings: ServeSettings) -> ssl.SSLContext | None:
    """TLS as the settings say, None for plain HTTP. Raises SettingsError for an unusable certificate or key."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as exc:
        raise SettingsError(
            f"{settings.tls_cert} and {settings.tls_key} are no usable certificate and key: {exc.strerror or exc}."
        ) from exc
    return context
