"""``livelight serve``: listen until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from contextlib import AsyncExitStack
from functools import partial
from types import ModuleType

from livelight.errors import MissingExtra, SettingsError
from livelight.light_program import build_lighting
from pipelines.webrtc.memory import few_arenas
from pipelines.webrtc.serve_settings import ServeSettings


def serve(settings: ServeSettings) -> int:
    """Serve the page and all interfaces; the exit status. Raises LiveLightError if it may not or cannot listen."""
    for package in ("aiohttp", "aiortc"):
        try:
            __import__(package)
        except ImportError as exc:
            raise MissingExtra(package, "webrtc", "livelight serve") from exc
    few_arenas()
    from pipelines.webrtc.ice import ice_configuration

    settings = settings.checked()
    ice_configuration(settings)  # raises for servers and credentials that are none
    build_lighting(settings, None)  # a light or background that cannot be opened is told now, not to the first visitor
    return asyncio.run(_serve(settings))


async def _serve(settings: ServeSettings) -> int:
    """Until it is told to stop: 130 after Ctrl-C, 0 after SIGTERM, by which a service is ended as it should be."""
    from pipelines.engine import open_relighter
    from pipelines.webrtc.app import build_app
    from pipelines.webrtc.listener import listening

    stop: asyncio.Future[int] = asyncio.Future()
    loop = asyncio.get_running_loop()
    for number, status in ((signal.SIGINT, 128 + signal.SIGINT), (signal.SIGTERM, 0)):
        try:
            loop.add_signal_handler(number, _tell, stop, status)
        except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt instead
            break
    tls = tls_context(settings)
    print("livelight: starting; the first time takes longest ...", file=sys.stderr, flush=True)
    async with AsyncExitStack() as stack:
        relighter = partial(open_relighter, settings, planes=True)
        if settings.cluster:
            cluster = _cluster_module()
            app = await stack.enter_async_context(cluster.cluster_app(settings, relighter))
        else:
            app = await build_app(settings, relighter)
        url = await stack.enter_async_context(listening(app, settings, tls))
        print(f"livelight: {url} is open; Ctrl-C ends it", file=sys.stderr, flush=True)
        return await stop


def _tell(stop: asyncio.Future[int], status: int) -> None:
    """The first signal counts."""
    if not stop.done():
        stop.set_result(status)


def _cluster_module() -> ModuleType:
    try:
        from pipelines.webrtc import cluster
    except ImportError as exc:
        raise MissingExtra(exc.name or "ray", "cluster", "livelight serve --cluster") from exc
    return cluster


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
