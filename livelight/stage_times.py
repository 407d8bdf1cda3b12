"""How long each stage of the road takes."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

_KEPT = 3000
"""Samples kept per stage: memory stays constant however long the session runs."""


class StageTimes:
    """Milliseconds per frame of named stages. Each stage is recorded by one thread; read it after the session."""

    def __init__(self) -> None:
        self._samples_ms: dict[str, deque[float]] = {}

    def record(self, stage: str, elapsed_ms: float) -> None:
        self._samples_ms.setdefault(stage, deque(maxlen=_KEPT)).append(elapsed_ms)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Record the wall time of the block."""
        started = perf_counter()
        yield
        self.record(stage, (perf_counter() - started) * 1e3)

    @property
    def stages(self) -> list[str]:
        """Names in the order of their first sample."""
        return list(self._samples_ms)

    def samples_ms(self, stage: str) -> list[float]:
        """The latest samples of a stage, oldest first."""
        return list(self._samples_ms.get(stage, ()))

    def median_ms(self, stage: str) -> float:
        """The median of the latest samples; raises KeyError for a stage that never ran."""
        return statistics.median(self._samples_ms[stage])
