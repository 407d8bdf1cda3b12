"""SharedEngine: one thread and one relighter for all sessions, in turns, or together where the engine takes several."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import Any

import numpy as np

from livelight.batch import BatchStep, Job
from livelight.errors import LiveLightError
from livelight.frame import Frame
from livelight.lighting import Light
from livelight.session import OpenRelighter
from pipelines.webrtc.stream import LiveStream

log = logging.getLogger(__name__)

Taken = list[tuple[LiveStream, Job]]

_WARM = ((1280, 720), (640, 480))
"""Frame sizes whose engines are compiled before the first session: cameras give these aspects."""


class SharedEngine:
    """Steps the streams round robin: one picture each, so that a fast sender takes nothing from a slow one.

    An engine that takes several pictures at once (livelight.batch) gets those that wait at that moment in one run; it
    never waits for another.

    The relighter is opened by ``start`` and used by the engine's thread alone. Raises what ``open_relighter`` raises.
    """

    def __init__(self, open_relighter: Callable[[], OpenRelighter]) -> None:
        self._open = open_relighter
        self._changed = threading.Condition()
        self._waiting = False
        self._closed = False
        self._streams: list[LiveStream] = []
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.runtime_name = ""
        self.relit = 0
        """Pictures of all streams so far."""
        self.runs = 0
        """Runs of the engine for them: fewer where several went together."""
        self.busy_s = 0.0
        """Seconds spent on them."""

    @property
    def failure(self) -> BaseException | None:
        """What ended the engine's thread before its time, if anything did."""
        return self._failure

    def start(self) -> None:
        """Open the relighter, begin to work."""
        relighter = self._open()
        self.runtime_name = relighter.runtime_name
        self._thread = threading.Thread(target=self._run, args=(relighter,), name="livelight-engine", daemon=True)
        self._thread.start()

    def add(self, stream: LiveStream) -> None:
        """Take a stream into the round."""
        stream.notify = self._notify
        with self._changed:
            self._streams.append(stream)

    def remove(self, stream: LiveStream) -> None:
        """Leave a stream out from now on; a step of it that runs goes to its end."""
        with self._changed:
            if stream in self._streams:
                self._streams.remove(stream)

    def close(self) -> None:
        """End the thread and close the relighter."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _notify(self) -> None:
        with self._changed:
            self._waiting = True
            self._changed.notify_all()

    def _run(self, relighter: OpenRelighter) -> None:
        try:
            with relighter:
                warm_up(relighter)
                while self._wait():
                    with self._changed:
                        round_ = deque(self._streams)
                    while round_:
                        self._step(round_, relighter)
        except BaseException as error:  # the server's health tells it, and ends
            log.exception("the engine stopped")
            self._failure = error

    def _step(self, round_: deque[LiveStream], relighter: OpenRelighter) -> None:
        """The next streams of the round, as many as the engine takes at once of those that have a picture now."""
        started_s = time.monotonic()
        most = relighter.max_batch if isinstance(relighter, BatchStep) else 1
        taken: list[tuple[LiveStream, Job]] = []
        while round_ and len(taken) < most:
            stream = round_.popleft()
            job = stream.take()
            if job is not None:
                taken.append((stream, job))
        for together in batches(taken, relighter):
            relight(together, relighter)
            self.relit += len(together)
            self.runs += 1
        if taken:
            self.busy_s += time.monotonic() - started_s

    def _wait(self) -> bool:
        """Until a picture waits; False at the end."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait(0.2)
            self._waiting = False
            return not self._closed


def batches(taken: Taken, relighter: OpenRelighter) -> list[Taken]:
    """Those of ``taken`` that may go through the engine together."""
    if len(taken) < 2 or not isinstance(relighter, BatchStep):
        return [[one] for one in taken]
    found: dict[Hashable, Taken] = {}
    for stream, job in taken:
        found.setdefault(relighter.batch_key(job.frame, job.light), []).append((stream, job))
    return list(found.values())


def relight(together: Taken, relighter: OpenRelighter) -> None:
    """One run of the engine; a fault is each stream's own.

    After one that nobody foresaw they go again one by one, so that it falls on the stream that it comes from.
    """
    try:
        if len(together) > 1:
            assert isinstance(relighter, BatchStep)
            results = relighter.step_many([job for _, job in together])
        else:
            results = [relighter.step(*together[0][1])]
    except LiveLightError as exc:
        for stream, _ in together:
            stream.fail(exc)
        return
    except Exception as exc:
        if len(together) == 1:
            together[0][0].fail(exc)
        else:
            for one in together:
                relight([one], relighter)
        return
    for (stream, _), (relit, state) in zip(together, results, strict=True):
        stream.deliver(relit, state, relighter.runtime_name)


def warm_up(relighter: OpenRelighter) -> None:
    """Compile what the usual frame sizes need, in every number at once, so that no session waits for it."""
    light = Light(np.ones((16, 16, 3), np.float32), None, 0.0, 1.0, np.ones(3, np.float32))
    for width, height in _WARM:
        frame = Frame(np.zeros((height, width, 3), np.uint8), 0, Fraction(1, 30), time.monotonic())
        state: Any = None
        for _ in range(2):
            _, state = relighter.step(frame, light, state)
        if isinstance(relighter, BatchStep):
            for count in range(2, relighter.max_batch + 1):
                relighter.step_many([Job(frame, light, state)] * count)
