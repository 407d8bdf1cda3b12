"""THE live loop: a camera's newest frame, relit under the light of now, into a sink; delay never grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from livelight.capture import Capture
from livelight.frame import Frame
from livelight.governor import Governor
from livelight.lighting import Light, Lighting
from livelight.live_commands import LiveCommands
from livelight.live_output import LiveOutput
from livelight.live_stats import LiveStats, Phase
from livelight.session import OpenRelighter, starts_anew
from livelight.similar import SimilarFrames
from livelight.sinks import Sink, WatchedSink
from livelight.sources import Source

POLL_S = 0.1
"""How often an idle session looks whether somebody watches; a running one looks at least as often."""

LINGER_S = 2.0
"""The camera stays on so long after the last reader went: programs open a camera twice when they start."""


@dataclass(slots=True)
class LiveSession:
    """All that one live session is made of. Give it to ``run_live``; its ``commands`` and ``stats`` may be shared.

    open_source: opens the camera; called on the capture thread, again after the camera was lost or released.
    sink: a plain Sink gets every frame; a WatchedSink has the camera on only while somebody watches, and gets a standby
    picture once a second meanwhile. The caller ends it.
    size: (width, height) that every frame is brought to; None takes them as they come (no standby picture then).
    notice: is told, in one sentence each, what the user should know; from any thread.
    governor: trades quality for speed; None leaves the relighter as it is.
    skip_similar: while nothing moves, show the last result again instead of computing it.
    """

    open_source: Callable[[], Source]
    sink: Sink
    relighter: OpenRelighter
    lighting: Lighting
    notice: Callable[[str], None]
    size: tuple[int, int] | None = None
    commands: LiveCommands = field(default_factory=LiveCommands)
    stats: LiveStats = field(default_factory=LiveStats)
    governor: Governor | None = None
    skip_similar: bool = True


def run_live(session: LiveSession) -> None:
    """Run until ``commands.stop``, or until the source ends; blocks. The camera is released when it returns or raises.

    Of the threads, capture and output, none outlives it, unless a driver holds one for more than a second. Errors of
    every thread, KeyboardInterrupt included, come out as they are. A camera that is gone is no error: it is waited for.
    """
    stats, stepper = session.stats, _Stepper(session)
    with _output(session) as output:
        ended = False
        while not ended and not session.commands.stopped:
            reason = _idle(session)
            if reason is None:
                ended = _run_watched(session, stepper, output)
                continue
            phase, sentence = reason
            stats.phase = phase
            output.standby(session.size, sentence)
            session.commands.wait(POLL_S)
    stats.phase = "ended"


def _idle(session: LiveSession) -> tuple[Phase, str] | None:
    """Why the camera is off: the phase, and what the standby picture says; None while it shall be on."""
    if session.commands.paused:
        return "paused", "Paused"
    if isinstance(session.sink, WatchedSink) and not session.sink.watched():
        return "unwatched", "Starting the camera"
    return None


@contextmanager
def _output(session: LiveSession) -> Iterator[LiveOutput]:
    output = LiveOutput(session.sink, session.stats)
    try:
        yield output
    finally:
        output.close()


def _run_watched(session: LiveSession, stepper: _Stepper, output: LiveOutput) -> bool:
    """With the camera on, until there is a reason to switch it off (False) or the source ends (True)."""
    stats = session.stats
    stepper.start_anew()
    capture = Capture(session.open_source, session.size, session.notice, stats.times)
    dropped_before, looked_s, watched_s = stats.dropped, 0.0, time.monotonic()
    try:
        while not session.commands.stopped:
            now_s = time.monotonic()
            if now_s - looked_s >= POLL_S:
                looked_s = now_s
                reason = _idle(session)
                if reason is None:
                    watched_s = now_s
                elif reason[0] == "paused" or now_s - watched_s > LINGER_S:
                    return False
            frame = capture.slot.get(POLL_S)
            stats.dropped = dropped_before + capture.slot.dropped
            if frame is not None:
                stats.phase = "running"
                output.put(stepper.step(frame))
            elif capture.slot.finished:
                return True
            else:
                output.check()
                if capture.lost is not None:
                    stats.phase = "no camera"
                    output.standby(session.size, "Waiting for the camera")
        return False
    finally:
        capture.close()


class _Stepper:
    """Relights frame by frame, and holds what is remembered between them: the state, and the light's clock."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._state: Any = None
        self._previous: Frame | None = None
        self._shown: Frame | None = None
        self._light_s = 0.0
        self._resets = session.commands.resets
        self._similar = SimilarFrames()

    def step(self, frame: Frame) -> Frame:
        """What is to be shown for ``frame``."""
        started_s = time.monotonic()
        session = self._session
        self._follow_time(frame)
        if session.commands.bypass:
            self._forget()
            return frame
        session.stats.light_s = self._light_s
        with session.stats.times.measure("light"):
            light = session.lighting.at(self._light_s, frame.width, frame.height)
        if session.skip_similar and self._similar.same(frame, light) and self._shown is not None:
            session.stats.skipped += 1
            return Frame(self._shown.image, frame.pts, frame.time_base, frame.captured_s)
        self._shown = self._relit(frame, light)
        if session.governor is not None:
            session.governor.stepped(started_s, time.monotonic())
            session.stats.level = session.governor.level_name
        return self._shown

    def start_anew(self) -> None:
        """The next frame has nothing to do with the last."""
        self._previous = None
        self._forget()

    def _relit(self, frame: Frame, light: Light) -> Frame:
        session = self._session
        with session.stats.times.measure("step"):
            relit, self._state = session.relighter.step(frame, light, self._state)
        for stage, elapsed_ms in session.relighter.timings_ms.items():
            session.stats.times.record(stage, elapsed_ms)
        session.stats.relit += 1
        session.stats.runtime = session.relighter.runtime_name
        return relit

    def _follow_time(self, frame: Frame) -> None:
        """The light's clock follows the frames' and never runs back; a break in their time drops the state."""
        previous, self._previous = self._previous, frame
        resets = self._session.commands.resets
        broken = previous is not None and starts_anew(previous, frame)
        if previous is not None and not broken:
            self._light_s += frame.time_s - previous.time_s
        if broken or resets != self._resets:
            self._resets = resets
            self._session.stats.resets += 1
            self._forget()

    def _forget(self) -> None:
        self._state = self._shown = None
        self._similar.forget()
