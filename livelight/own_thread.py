"""A thread for calls that may get stuck: its owner need not wait for it, and neither need the end of the program."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class OwnThread:
    """Makes calls one after the other on a daemon thread; it starts with the first and ends after ``last``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.Queue[tuple[Future[Any], Callable[[], Any], bool]] = queue.Queue(maxsize=4)
        self._thread: threading.Thread | None = None

    def call(self, work: Callable[[], T]) -> Future[T]:
        """What ``work`` returns or raises, once the calls before it are over. Raises queue.Full if four wait."""
        return self._put(work, last=False)

    def last(self, work: Callable[[], T]) -> Future[T]:
        """As ``call``; then the thread ends, and takes no other call."""
        return self._put(work, last=True)

    def _put(self, work: Callable[[], T], last: bool) -> Future[T]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        future: Future[T] = Future()
        self._calls.put_nowait((future, work, last))
        return future

    def _run(self) -> None:
        last = False
        while not last:
            future, work, last = self._calls.get()
            try:
                result = work()
            except BaseException as exc:  # its owner decides
                future.set_exception(exc)
            else:
                future.set_result(result)
            del future, work  # else the last frame would be kept
