"""Where frames go: one file per device or format, all behind ``Sink``."""

from __future__ import annotations

from typing import Protocol

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
