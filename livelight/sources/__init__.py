"""Where frames come from: one file per device or format, all behind ``Source``."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol, runtime_checkable

from livelight.frame import Frame


class Source(Protocol):
    """A stream of frames, read by one thread.

    Opening (the constructor) must raise InputError or DeviceError if nothing can be read. Every frame of one source
    has the size (height, width); its pts never decreases. Iteration ends at the end of the stream and raises
    InputError or DeviceError when the stream breaks: a fault is never turned into an end. Frames own their pixels.
    ``close`` may be called twice and from a ``finally``.
    """

    width: int
    height: int
    rate: Fraction
    """Nominal frames per second; real times stand in each frame's pts."""
    frame_count: int | None
    """Expected number of frames where the container tells it (it may be wrong), else None."""
    live: bool
    """True: frames that nobody takes may be dropped (cameras). False: no frame is ever dropped (files)."""

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...


@runtime_checkable
class LiveSource(Source, Protocol):
    """A source in real time. ``end`` may be called from any thread: the iteration ends within a tenth of a second."""

    def end(self) -> None: ...


@runtime_checkable
class Rewindable(Source, Protocol):
    """A source that may be read again. Opening a file anew and again costs memory that comes back late, and time."""

    def rewind(self) -> bool:
        """Begin again: the next iteration gives the first frame. False: it cannot; close it and open another."""
        ...
