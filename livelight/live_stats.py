"""What a live session counts and measures, readable at any time from any thread."""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

from livelight.stage_times import StageTimes

WINDOW_S = 2.0
"""fps and latency are of the frames of so many last seconds."""

Phase = Literal["starting", "running", "unwatched", "paused", "no camera", "ended"]
"""unwatched: nobody reads the virtual camera, so the camera is off. no camera: waiting for it to come (back)."""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """One reading. Counts are since the start.

    fps: frames that reached the sink, per second. latency_ms: median from capture to the end of the sink's write, None
    before the first frame. relit: frames that went through the network. skipped: frames shown again since nothing
    moved. dropped: frames that a newer one replaced before they were relit. dropped_late: relit frames that the sink
    was too slow for. resets: how often the state started anew. level: quality level of the governor.
    """

    phase: Phase
    fps: float
    latency_ms: float | None
    relit: int
    skipped: int
    shown: int
    dropped: int
    dropped_late: int
    resets: int
    level: str
    runtime: str


class LiveStats:
    """Written by the session's threads; ``times`` holds milliseconds per stage."""

    def __init__(self) -> None:
        self.times = StageTimes()
        self.phase: Phase = "starting"
        self.runtime = ""
        self.level = ""
        self.relit = self.skipped = self.shown = self.resets = 0
        self.dropped = self.dropped_late = 0
        self.light_s = 0.0
        """The light's clock: the time that a moving rotation is at."""
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, float]] = deque(maxlen=1000)

    def frame_shown(self, captured_s: float) -> None:
        """The sink has a frame that was captured at ``captured_s`` on the monotonic clock."""
        now_s = time.monotonic()
        with self._lock:
            self.shown += 1
            self._recent.append((now_s, (now_s - captured_s) * 1e3))

    def read(self) -> LiveFigures:
        since_s = time.monotonic() - WINDOW_S
        with self._lock:
            recent = [(at_s, delay_ms) for at_s, delay_ms in self._recent if at_s >= since_s]
            last = self._recent[-1][1] if self._recent else None
            shown = self.shown
        return LiveFigures(
            phase=self.phase,
            fps=len(recent) / WINDOW_S,
            latency_ms=statistics.median(delay for _, delay in recent) if recent else last,
            relit=self.relit,
            skipped=self.skipped,
            shown=shown,
            dropped=self.dropped,
            dropped_late=self.dropped_late,
            resets=self.resets,
            level=self.level,
            runtime=self.runtime,
        )
