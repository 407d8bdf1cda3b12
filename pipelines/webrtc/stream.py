"""LiveStream: one person's pictures through the shared engine, with their own light and their own state."""

from __future__ import annotations

import logging
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av

from livelight.batch import Job
from livelight.control import Control, LiveLighting
from livelight.errors import LiveLightError
from livelight.frame import Frame
from livelight.session import starts_anew
from livelight.slot import Slot
from livelight.video_color import SrgbReader
from pipelines.webrtc.outlet import Relit
from pipelines.webrtc.outlets import Outlets

log = logging.getLogger(__name__)

MAX_PIXELS = 3840 * 2160
"""A larger picture is not relit: one peer must not take the engine from all others."""

FAULT = "a fault of the server's own: the picture cannot be relit; its log says why"
"""What is told of an error that nobody foresaw."""

_RATE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """A decoded picture as it came. captured_s: monotonic clock when it was decoded."""

    frame: av.VideoFrame
    captured_s: float


@dataclass(frozen=True, slots=True)
class Stats:
    """fps: pictures relit a second. latency_ms: from decoded to relit, median. dropped: in all. runtime: engine."""

    fps: float
    latency_ms: float
    dropped: int
    runtime: str


class LiveStream:
    """``put`` by the receiver; ``take``, then ``deliver`` or ``fail``, by the engine's thread; outlets by anybody."""

    def __init__(self, control: Control, lighting: LiveLighting, problem: Callable[[str], None]) -> None:
        self.control = control
        self.outlets = Outlets()
        """Who takes the relit pictures."""
        self.bypass = False
        """Whether the picture goes through untouched (before/after)."""
        self._lighting = lighting
        self._problem = problem
        self._arrived: Slot[Arrived] = Slot()
        self._reader = SrgbReader()
        self._state: Any = None
        self._previous: Frame | None = None
        self._start_s = 0.0
        self._done_s: deque[float] = deque(maxlen=240)
        self._took_s: deque[float] = deque(maxlen=15)
        self._latency_s = 0.0
        self._runtime = ""
        self._refused = False
        self._fault = ""
        self.notify: Callable[[], None] = lambda: None
        """Told by ``put`` that a picture waits; set by the engine."""

    @property
    def latency_s(self) -> float:
        """From decoding to relit, median of the last pictures, seconds; sound is delayed by as much."""
        return self._latency_s

    def put(self, frame: av.VideoFrame) -> None:
        """The newest picture; never waits."""
        self._arrived.put(Arrived(frame, time.monotonic()))
        self.notify()

    def take(self) -> Job | None:
        """The newest picture, its light and the stream's state, for the relighter. Engine thread.

        None where no picture waits, or where it needs no relighter: a bypassed one is delivered, one that is too large
        or faulty is told to ``problem``.
        """
        arrived = self._arrived.get(timeout_s=0)
        if arrived is None:
            return None
        if arrived.frame.width * arrived.frame.height > MAX_PIXELS:
            self._refuse(arrived.frame)
            return None
        try:
            return self._job(arrived)
        except Exception as exc:  # whatever it is, the engine and the other streams go on
            self.fail(exc)
            return None

    def deliver(self, relit: Frame, state: Any, runtime: str) -> None:
        """What the relighter made of the job that was taken last. Engine thread."""
        self._state = state
        self._runtime = runtime
        self._fault = ""
        self._send(relit)

    def fail(self, error: Exception) -> None:
        """The job that was taken last came to nothing; the stream goes on, from a new state. Engine thread.

        An error that nobody foresaw is logged with its traceback and told as FAULT, once while it comes again with
        every picture.
        """
        self._state = None
        if isinstance(error, LiveLightError):
            self._problem(str(error))
        elif self._fault != repr(error):
            self._fault = repr(error)
            log.error("a picture could not be relit", exc_info=error)
            self._problem(FAULT)

    def close(self) -> None:
        """End all consumers; free the light."""
        self._arrived.finish()
        self.outlets.close()
        self._lighting.close()

    def stats(self) -> Stats:
        """Figures of the last two seconds."""
        since = time.monotonic() - _RATE_WINDOW_S
        recent = sum(done > since for done in list(self._done_s))
        dropped = self._arrived.dropped + self.outlets.dropped
        return Stats(recent / _RATE_WINDOW_S, self._latency_s * 1e3, dropped, self._runtime)

    def _job(self, arrived: Arrived) -> Job | None:
        image = self._reader.read(arrived.frame)
        pts, time_base = arrived.frame.pts, arrived.frame.time_base
        assert pts is not None
        assert time_base is not None
        frame = Frame(image, pts, time_base, arrived.captured_s)
        if self._previous is None:
            self._start_s = frame.time_s
        elif starts_anew(self._previous, frame):
            self._state = None
        self._previous = frame
        if self.bypass:
            self._send(frame)
            return None
        light = self._lighting.at(max(frame.time_s - self._start_s, 0.0), frame.width, frame.height)
        return Job(frame, light, self._state)

    def _send(self, frame: Frame) -> None:
        now_s = time.monotonic()
        self._took_s.append(now_s - frame.captured_s)
        self._latency_s = statistics.median(self._took_s)
        self._done_s.append(now_s)
        self.outlets.offer(Relit(frame.image, frame.pts, frame.time_base, frame.captured_s, frame.planes))

    def _refuse(self, frame: av.VideoFrame) -> None:
        if not self._refused:
            self._refused = True
            size = f"{frame.width}x{frame.height}"
            self._problem(f"the picture is {size}, and at most {MAX_PIXELS} pixels are relit; send a smaller one")
