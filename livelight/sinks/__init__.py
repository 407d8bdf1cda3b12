"""Where frames go: one file per device or format, all behind ``Sink``."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from livelight.frame import Frame


class Sink(Protocol):
    """Takes frames from one thread, in order of pts.

    ``write`` must not keep a reference to ``frame.image`` after it returns. ``close`` finishes the output and makes it
    visible under its final name; ``abort`` gives the output up and leaves nothing under the final name. Exactly one of
    the two ends a sink, from any thread once no ``write`` runs; a second call of either does nothing.
    Faults raise OutputError or DeviceError.
    """

    def write(self, frame: Frame) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


@runtime_checkable
class WatchedSink(Sink, Protocol):
    """A sink that knows whether anybody looks, such as a virtual camera.

    ``watched`` is called a few times a second by the session's thread and must not wait; True where it cannot be known.
    """

    def watched(self) -> bool: ...
