"""The structured log of a live session: one JSON object a line, for people and programs that look back."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from livelight.errors import OutputError
from livelight.live_stats import LiveStats

EVERY_S = 10.0
"""Figures are written so often, and once at the end."""

FILE_BYTES = 10_000_000
OLD_FILES = 3
"""A file that is full becomes FILE.1, and so on; older ones are deleted."""

_ROOTS = ("livelight", "pipelines")
_BEGINNING = b'{"time": "'
"""What every line of a log begins with: a file that does not is somebody else's."""

_FIGURES = logging.getLogger("livelight.figures")
_NOTICES = logging.getLogger("livelight.notices")


class JsonLines(logging.Formatter):
    """time (UTC), level, source and message of a record; its ``fields``, a dictionary, come after them."""

    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "source": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            content["error"] = repr(record.exc_info[1])
        return json.dumps(content | getattr(record, "fields", {}), ensure_ascii=False)


def write_notice(sentence: str) -> None:
    """Put a sentence that the user was told into the log, if one is open; from any thread."""
    _NOTICES.info("%s", sentence)


def write_figures(stats: LiveStats) -> None:
    """Put the figures of now into the log, if one is open: LiveFigures and the median of each stage."""
    figures, times = stats.read(), stats.times
    stages = {stage: round(times.median_ms(stage), 3) for stage in times.stages}
    _FIGURES.info("%s", figures.phase, extra={"fields": asdict(figures) | {"stages_ms": stages}})


@contextmanager
def live_log(target: str, stats: LiveStats, every_s: float = EVERY_S) -> Iterator[None]:
    """Write what LiveLight's modules log, and the figures of ``stats``, into the file ``target`` ("-": stderr).

    Lines are added to a log that is there. Raises OutputError for a file that cannot be opened or is no log. A disk
    that fills up later ends the log, with a word on stderr, and not the session.
    """
    handler = _handler(target)
    handler.setFormatter(JsonLines())
    loggers = [logging.getLogger(name) for name in _ROOTS]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False  # Python would print warnings on stderr, too
    over = threading.Event()

    def write() -> None:
        while not over.wait(every_s):
            write_figures(stats)

    thread = threading.Thread(target=write, name="livelight-log", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        write_figures(stats)
        for logger, level, propagate in before:
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        handler.close()


def _handler(target: str) -> logging.Handler:
    if target == "-":
        return logging.StreamHandler(sys.stderr)
    path = Path(target)
    if not path.parent.is_dir():
        raise OutputError(f"The folder {path.parent} does not exist; create it or choose another place for the log.")
    try:
        if path.is_file() and not _is_log(path):
            raise OutputError(f"The log {path} is there already and is no log of LiveLight; choose another name.")
        return _LogFile(path, maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8")
    except OSError as exc:
        raise OutputError(f"The log {path} cannot be written ({exc.strerror}); choose another place.") from exc


def _is_log(path: Path) -> bool:
    """Whether a file is empty or begins as JsonLines do. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_BEGINNING)) in (b"", _BEGINNING)


class _LogFile(RotatingFileHandler):
    """Says once that it can write no more, where Python would print a traceback for each line."""

    _silent = False

    def close(self) -> None:
        with suppress(OSError):  # what could not be written was told when it was logged
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is Python's
        if not self._silent:
            self._silent = True
            error = sys.exc_info()[1]
            print(f"livelight: The log {self.baseFilename} cannot be written any more ({error}).", file=sys.stderr)
