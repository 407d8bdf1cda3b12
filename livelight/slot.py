"""The newest-frame slot between two threads: what is not taken in time is replaced, and counted."""

from __future__ import annotations

import threading
import time
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_S = 0.2
"""Waits are cut into pieces of this length, since on Windows Ctrl-C cannot interrupt a longer one."""


class Slot(Generic[T]):
    """Holds at most one item of a live stream. ``put`` never waits; ``get`` waits for an item newer than the last.

    The end and the error of the writer come to the reader after the last item, as in livelight.channel.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._finished = False
        self._error: BaseException | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many items were replaced before anybody took them."""
        return self._dropped

    @property
    def finished(self) -> bool:
        """No more items will come; one may still wait."""
        return self._finished

    def put(self, item: T) -> None:
        """Writer: the newest item. After ``finish`` it is ignored."""
        with self._changed:
            if self._finished:
                return
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """No more items, from any thread; ``error`` is raised to the reader after the last. The first call counts."""
        with self._changed:
            if not self._finished:
                self._finished, self._error = True, error
            self._changed.notify_all()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Reader: the newest item, each once; None at the end, or when ``timeout_s`` seconds passed without one."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while self._item is None and not self._finished:
                left = _POLL_S if until is None else min(until - time.monotonic(), _POLL_S)
                if left <= 0:
                    return None
                self._changed.wait(left)
            item, self._item = self._item, None
            if item is None and self._error is not None:
                raise self._error
            return item
