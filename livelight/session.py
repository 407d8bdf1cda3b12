"""THE loop: frames from a source, each relit under the light of its moment, into a sink."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, Self, TypeVar

from livelight.channel import Channel
from livelight.frame import Frame
from livelight.lighting import Light, Lighting
from livelight.quality import Adjustable
from livelight.sinks import Sink
from livelight.sources import Source
from livelight.stage_times import StageTimes

QUEUE_DEPTH = 4
"""Frames decoded ahead, and frames waiting for the encoder."""

MAX_GAP_S = 1.0
"""After a longer hole in time, or a step back, the relighter starts anew: the old state tells nothing of the new."""

State = TypeVar("State")


class RelightStep(Protocol[State]):
    """What the session needs of a relighter. Called by one thread; must neither write into nor keep ``frame``."""

    timings_ms: dict[str, float]
    """Milliseconds of the inner stages of the last step, by name."""

    def step(self, frame: Frame, light: Light, state: State | None) -> tuple[Frame, State]:
        """The relit frame, same time, and the state for the next frame; None starts."""
        ...


class OpenRelighter(RelightStep[Any], Adjustable, Protocol):
    """A relighter that holds an engine; ``close``, or the end of a ``with`` block, lets it go. On CPU or GPU alike."""

    @property
    def runtime_name(self) -> str:
        """The engine it runs on now."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def run_session(
    source: Source,
    sink: Sink,
    relighter: RelightStep[State],
    lighting: Lighting,
    on_frame: Callable[[int], None] = lambda done: None,
) -> StageTimes:
    """Relight every frame of ``source`` into ``sink``; the caller ends the sink (close or abort) and the source.

    Decoding runs ahead and encoding behind on threads of their own; both are over when this returns or raises, and
    all frames that were relit are written. ``on_frame`` is told how many frames are relit. Errors of every thread,
    KeyboardInterrupt included, come out here as they are.
    """
    times = StageTimes()
    state: State | None = None
    previous: Frame | None = None
    start_s = 0.0
    with read_ahead(source, times) as frames, write_behind(sink, times) as write:
        for done, frame in enumerate(frames, start=1):
            if previous is None:
                start_s = frame.time_s
            elif starts_anew(previous, frame):
                state = None
            with times.measure("light"):
                light = lighting.at(frame.time_s - start_s, frame.width, frame.height)
            with times.measure("step"):
                relit, state = relighter.step(frame, light, state)
            for stage, elapsed_ms in relighter.timings_ms.items():
                times.record(stage, elapsed_ms)
            write(relit)
            previous = frame
            on_frame(done)
    return times


def starts_anew(previous: Frame, frame: Frame) -> bool:
    """Whether a frame is no continuation: another size, a gap of more than MAX_GAP_S, or time runs backwards."""
    gap_s = frame.time_s - previous.time_s
    return frame.image.shape != previous.image.shape or not 0 <= gap_s <= MAX_GAP_S


@contextmanager
def read_ahead(source: Source, times: StageTimes) -> Iterator[Iterator[Frame]]:
    """Decode on a thread; gives an iterator that raises the source's error after its last good frame."""
    channel: Channel[Frame] = Channel(QUEUE_DEPTH)

    def read() -> None:
        try:
            frames = iter(source)
            while True:
                with times.measure("decode"):
                    frame = next(frames, None)
                if frame is None or not channel.put(frame):
                    return channel.finish()
        except BaseException as error:  # carried to the session's thread, raised there
            channel.finish(error)

    thread = threading.Thread(target=read, name="livelight-decode", daemon=True)
    thread.start()
    try:
        yield iter(channel.get, None)
    finally:
        channel.abandon()
        thread.join()


@contextmanager
def write_behind(sink: Sink, times: StageTimes) -> Iterator[Callable[[Frame], None]]:
    """Encode on a thread; leaving the block waits for the frames on their way and raises the sink's error."""
    channel: Channel[Frame] = Channel(QUEUE_DEPTH)
    failure: list[BaseException] = []

    def write() -> None:
        try:
            while (frame := channel.get()) is not None:
                with times.measure("encode"):
                    sink.write(frame)
        except BaseException as error:  # carried to the session's thread, raised there
            failure.append(error)
            channel.abandon()

    def put(frame: Frame) -> None:
        if not channel.put(frame):
            raise failure[0]

    thread = threading.Thread(target=write, name="livelight-encode", daemon=True)
    thread.start()
    try:
        yield put
    finally:
        channel.finish()
        thread.join()
    if failure:
        raise failure[0]
