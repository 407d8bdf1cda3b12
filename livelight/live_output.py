"""The writer's thread of a live session: the newest relit frame into the sink, never a queue."""

from __future__ import annotations

import threading
import time
from fractions import Fraction

from livelight.frame import Frame
from livelight.live_stats import LiveStats
from livelight.sinks import Sink, WatchedSink
from livelight.slot import Slot
from livelight.standby import standby_picture

STANDBY_EVERY_S = 1.0
JOIN_S = 1.0
"""A sink that holds its thread for longer is left behind."""


class LiveOutput:
    """Writes on a thread of its own; a frame that a slow sink did not take in time is replaced, and counted."""

    def __init__(self, sink: Sink, stats: LiveStats) -> None:
        self._sink = sink
        self._stats = stats
        self._slot: Slot[tuple[Frame, bool]] = Slot()
        self._standby_s = -STANDBY_EVERY_S
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="livelight-output", daemon=True)
        self._thread.start()

    def put(self, frame: Frame) -> None:
        """Hand over a frame; raises the error of an earlier write."""
        self.check()
        self._slot.put((frame, True))
        self._stats.dropped_late = self._slot.dropped

    def standby(self, size: tuple[int, int] | None, sentence: str) -> None:
        """Show the standby picture, once a second at most; virtual cameras alone have one."""
        self.check()
        now_s = time.monotonic()
        if size is None or not isinstance(self._sink, WatchedSink) or now_s - self._standby_s < STANDBY_EVERY_S:
            return
        self._standby_s = now_s
        picture = standby_picture(*size, sentence)
        self._slot.put((Frame(picture, int(now_s * 1e6), Fraction(1, 1_000_000), now_s), False))

    def check(self) -> None:
        """Raise the error of an earlier write, if there is one."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Write the frame that waits and end the thread; raises the sink's error."""
        self._slot.finish()
        self._thread.join(JOIN_S)
        self.check()

    def _run(self) -> None:
        try:
            while (item := self._slot.get()) is not None:
                frame, counts = item
                with self._stats.times.measure("output"):
                    self._sink.write(frame)
                if counts:
                    self._stats.frame_shown(frame.captured_s)
        except BaseException as error:  # carried to the session's thread, raised there
            self._error = error
            self._slot.finish()
