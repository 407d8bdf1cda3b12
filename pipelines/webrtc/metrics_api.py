"""HTTP: the server's figures for Prometheus at /metrics, read when it asks; sessions have no label of their own."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aiohttp import web

from livelight import __version__
from livelight.errors import MissingExtra
from livelight.metrics import LiveCollector
from pipelines.webrtc.camera_feed import CameraFeed
from pipelines.webrtc.hub import Hub

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


class MetricsApi:
    """Handler of /metrics. Raises MissingExtra (501) where prometheus-client is not installed."""

    def __init__(self, hub: Hub, feed: CameraFeed) -> None:
        self._hub = hub
        self._feed = feed

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of this."""
        return [web.get("/metrics", self._metrics)]

    async def _metrics(self, request: web.Request) -> web.Response:
        try:
            import prometheus_client
        except ImportError as exc:
            raise MissingExtra("prometheus-client", "metrics", "The endpoint for Prometheus") from exc
        registry = prometheus_client.CollectorRegistry()
        registry.register(HubCollector(self._hub))
        if self._feed.running:
            registry.register(LiveCollector(self._feed.stats))
        prometheus_client.ProcessCollector(registry=registry)
        text = prometheus_client.generate_latest(registry)
        return web.Response(body=text, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})


class HubCollector:
    """A Prometheus collector over a hub, in the event loop alone. Times are in seconds."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """What there is to tell now."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        hub, engine = self._hub, self._hub.engine
        gauges: tuple[tuple[str, str, float], ...] = (
            ("sessions", "Sessions that are open.", len(hub.sessions)),
            ("sessions_free", "Sessions that would still be admitted.", hub.free),
            ("viewers", "Viewers (WHEP) that are connected.", hub.viewers),
            ("engine_up", "1 while the engine works, 0 after it failed.", engine.failure is None),
        )
        for name, text, value in gauges:
            yield GaugeMetricFamily(f"livelight_{name}", text, float(value))
        counters: tuple[tuple[str, str, float], ...] = (
            ("sessions_opened", "Sessions that were admitted.", hub.opened),
            ("sessions_refused", "Sessions that were refused since all places were taken.", hub.refused),
            ("pictures_relit", "Pictures that went through the engine, of all sessions.", engine.relit),
            ("engine_runs", "Runs of the engine: fewer than pictures where several went together.", engine.runs),
            ("pictures_dropped", "Pictures that a newer one replaced, of all sessions.", hub.dropped),
            ("engine_busy_seconds", "Time that the engine spent on pictures.", engine.busy_s),
        )
        for name, text, value in counters:
            yield CounterMetricFamily(f"livelight_{name}", text, float(value))
        yield from self._spread()
        yield InfoMetricFamily("livelight_server", "Engine.", {"version": __version__, "runtime": engine.runtime_name})

    def _spread(self) -> Iterator[Metric]:
        """Rate and delay over the open sessions: the median one, and the one that fares worst."""
        from prometheus_client.core import GaugeMetricFamily

        stats = [session.stream.stats() for session in self._hub.sessions]
        rate = GaugeMetricFamily("livelight_session_fps", "Relit pictures a second of a session.", labels=["session"])
        delay = GaugeMetricFamily(
            "livelight_session_latency_seconds", "From decoded to relit, median of a session.", labels=["session"]
        )
        if stats:
            rates, delays = [one.fps for one in stats], [one.latency_ms / 1e3 for one in stats]
            for which, fps, latency_s in (
                ("median", statistics.median(rates), statistics.median(delays)),
                ("worst", min(rates), max(delays)),
            ):
                rate.add_metric([which], fps)
                delay.add_metric([which], latency_s)
        yield rate
        yield delay
