"""The figures of a live session for Prometheus, on a small HTTP endpoint of their own (extra ``metrics``).

Everything is read from LiveStats when Prometheus asks; the live loop does nothing for it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

from livelight import __version__
from livelight.errors import DeviceError, MissingExtra, SettingsError
from livelight.live_stats import LiveStats, Phase

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

DEFAULT_HOST = "127.0.0.1"
QUANTILES = {"0.5": 49, "0.95": 94}
"""Prometheus' name of a quantile -> its index among the 99 cut points of statistics.quantiles(n=100)."""

RECENT = 300
"""Samples of a stage that its quantiles are of: ten seconds at 30 fps."""


def _client() -> Any:
    try:
        import prometheus_client
    except ImportError as exc:
        raise MissingExtra("prometheus-client", "metrics", "The endpoint for Prometheus") from exc
    return prometheus_client


class LiveCollector:
    """A Prometheus collector over ``stats``; register it with any registry. Times are in seconds."""

    def __init__(self, stats: LiveStats) -> None:
        _client()
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """What there is to tell now; any thread."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        figures = self._stats.read()
        yield GaugeMetricFamily("livelight_fps", "Frames that reached the sink, per second.", figures.fps)
        latency = GaugeMetricFamily("livelight_latency_seconds", "Median time from capture to the end of the write.")
        if figures.latency_ms is not None:
            latency.add_metric([], figures.latency_ms / 1e3)
        yield latency
        for name, help_text, count in (
            ("shown", "Frames that reached the sink.", figures.shown),
            ("relit", "Frames that went through the network.", figures.relit),
            ("skipped", "Frames shown again since nothing had moved.", figures.skipped),
        ):
            yield CounterMetricFamily(f"livelight_frames_{name}", help_text, count)
        dropped = CounterMetricFamily(
            "livelight_frames_dropped",
            "Frames that a newer one replaced, before or after they were relit.",
            labels=["at"],
        )
        dropped.add_metric(["capture"], figures.dropped)
        dropped.add_metric(["output"], figures.dropped_late)
        yield dropped
        yield CounterMetricFamily("livelight_resets", "How often the network's memory started anew.", figures.resets)
        phase = GaugeMetricFamily("livelight_phase", "1 for the phase that the session is in.", labels=["phase"])
        for name in get_args(Phase):
            phase.add_metric([name], float(name == figures.phase))
        yield phase
        session = {"version": __version__, "runtime": figures.runtime, "level": figures.level}
        yield InfoMetricFamily("livelight", "Engine and quality level.", session)
        yield self._stages()

    def _stages(self) -> Metric:
        from prometheus_client.core import GaugeMetricFamily

        stages = GaugeMetricFamily(
            "livelight_stage_seconds", f"Time of a stage, over its last {RECENT} frames.", labels=["stage", "quantile"]
        )
        times = self._stats.times
        for stage in times.stages:
            samples = times.samples_ms(stage)[-RECENT:]
            cuts = statistics.quantiles(samples, n=100) if len(samples) > 1 else samples * 99
            for quantile, index in QUANTILES.items():
                stages.add_metric([stage, quantile], cuts[index] / 1e3)
        return stages


class MetricsServer:
    """Answers GET /metrics on ``host``:``port`` (0 takes a free one) until ``close``, on threads of its own.

    Tells of ``stats`` and of the process: its memory, CPU time, open files. Raises MissingExtra; DeviceError if the
    port is taken.
    """

    def __init__(self, stats: LiveStats, port: int, host: str = DEFAULT_HOST) -> None:
        client = _client()
        registry = client.CollectorRegistry()
        registry.register(LiveCollector(stats))
        client.ProcessCollector(registry=registry)
        try:
            self._server, self._thread = client.start_http_server(port, host, registry)
        except OSError as exc:
            raise DeviceError(
                f"The port {port} on {host} cannot be opened for Prometheus ({exc.strerror}); choose another one."
            ) from exc
        self.port = int(self._server.server_port)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> MetricsServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def parsed_address(text: str) -> tuple[str, int]:
    """(host, port) from ``PORT`` or ``HOST:PORT``. Raises SettingsError."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise SettingsError(f"Expected a port such as 9101, or HOST:PORT such as 0.0.0.0:9101; got '{text}'.")
    return host or DEFAULT_HOST, int(port)
