"""How far a clip has come, on stderr: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Protocol

_LINE_EVERY_S = 5.0


class Progress(Protocol):
    """Shown while one clip runs; used as a context manager around it."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def advance(self, done: int, total: int | None) -> None:
        """``done`` frames of ``total`` (None: unknown) are relit."""
        ...


def progress_for(name: str, quiet: bool, unit: str = "frame") -> Progress:
    """The progress that fits where stderr goes. unit: what is counted, frames unless said otherwise."""
    if quiet:
        return Silence()
    return BarProgress(name, unit) if sys.stderr.isatty() else LineProgress(name, unit)


def _speed(per_s: float, unit: str) -> str:
    return f"{per_s:.1f} fps" if unit == "frame" else f"{1 / max(per_s, 1e-9):.1f} s each"


class Silence:
    """Says nothing."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def advance(self, done: int, total: int | None) -> None:
        pass


class LineProgress(Silence):
    """One plain line every few seconds: for logs and pipes."""

    def __init__(self, name: str, unit: str = "frame") -> None:
        self._name, self._unit = name, unit
        self._started_s = self._said_s = monotonic()

    def advance(self, done: int, total: int | None) -> None:
        now_s = monotonic()
        if now_s - self._said_s < _LINE_EVERY_S:
            return
        self._said_s = now_s
        fps = done / (now_s - self._started_s)
        left = f", {max(total - done, 0) / fps:.0f} s left" if total else ""
        speed = _speed(fps, self._unit)
        print(f"{self._name}: {self._unit} {done} of {total or '?'}, {speed}{left}", file=sys.stderr, flush=True)


class BarProgress(Silence):
    """A bar with frames, fps and time left."""

    def __init__(self, name: str, unit: str = "frame") -> None:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(escape(name), total=None, speed="")
        self._unit = unit
        self._started_s = monotonic()

    def __enter__(self) -> BarProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, done: int, total: int | None) -> None:
        fps = done / max(monotonic() - self._started_s, 1e-6)
        speed = _speed(fps, self._unit)
        self._bar.update(self._task, completed=done, total=max(total, done) if total else None, speed=speed)
