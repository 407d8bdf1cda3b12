"""Frames kept in a list: the shipped fake for tests and for programs that use LiveLight as a library."""

from __future__ import annotations

from livelight.frame import Frame


class MemorySink:
    """Keeps a copy of every frame (Sink). Grows without bound: for short streams."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.closed = False
        self.aborted = False

    def write(self, frame: Frame) -> None:
        self.frames.append(frame.with_image(frame.image.copy()))

    def close(self) -> None:
        self.closed = not self.aborted

    def abort(self) -> None:
        if not self.closed:
            self.aborted = True
            self.frames.clear()
