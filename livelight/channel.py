"""A bounded queue between two threads that carries the end and the error of its writer."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_S = 0.2
"""Waits are cut into pieces of this length, since on Windows Ctrl-C cannot interrupt a longer one."""


class Channel(Generic[T]):
    """Hands items from one writer to one reader in order; a full channel makes the writer wait. Nothing is dropped."""

    def __init__(self, depth: int) -> None:
        self._items: deque[T] = deque()
        self._depth = depth
        self._changed = threading.Condition()
        self._finished = False
        self._abandoned = False
        self._error: BaseException | None = None

    def put(self, item: T) -> bool:
        """Writer: wait for room and hand over. False if the reader has gone: stop writing."""
        with self._changed:
            while len(self._items) >= self._depth and not self._abandoned:
                self._changed.wait(_POLL_S)
            if self._abandoned:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def finish(self, error: BaseException | None = None) -> None:
        """Writer: no more items; ``error`` is raised to the reader after the last item."""
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()

    def get(self) -> T | None:
        """Reader: the next item; None at the end. Raises the writer's error at the end instead."""
        with self._changed:
            while not self._items and not self._finished:
                self._changed.wait(_POLL_S)
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._error is not None:
                raise self._error
            return None

    def abandon(self) -> None:
        """Reader: take no more; a waiting writer is let go."""
        with self._changed:
            self._abandoned = True
            self._items.clear()
            self._changed.notify_all()
