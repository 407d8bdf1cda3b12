"""The same frames into several sinks, and into none."""

from __future__ import annotations

from collections.abc import Sequence

from livelight.frame import Frame
from livelight.sinks import Sink, WatchedSink


class TeeSink:
    """Hands every frame to all of its sinks (WatchedSink); watched if any of them is. No sinks: frames go nowhere."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)

    def write(self, frame: Frame) -> None:
        for sink in self._sinks:
            sink.write(frame)

    def watched(self) -> bool:
        seen = [sink.watched() if isinstance(sink, WatchedSink) else True for sink in self._sinks]
        return any(seen) or not seen

    def close(self) -> None:
        for sink in self._sinks:
            sink.close()

    def abort(self) -> None:
        for sink in self._sinks:
            sink.abort()
