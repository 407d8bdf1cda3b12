"""Outlets: all who take the pictures of one stream."""

from __future__ import annotations

import threading

from pipelines.webrtc.outlet import Outlet, Relit


class Outlets:
    """Any thread. A consumer that was dropped, or came after ``close``, gets nothing and is told so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Outlet] = []
        self._lost = 0
        self._closed = False

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def dropped(self) -> int:
        """Pictures that consumers were too slow for, those of former consumers included."""
        with self._lock:
            return self._lost + sum(outlet.dropped for outlet in self._open)

    def new(self) -> Outlet:
        """One more consumer, in the event loop that it takes pictures in."""
        outlet = Outlet()
        with self._lock:
            closed = self._closed
            if not closed:
                self._open.append(outlet)
        if closed:
            outlet.close()
        return outlet

    def offer(self, relit: Relit) -> None:
        """Give the newest picture to all."""
        with self._lock:
            outlets = list(self._open)
        for outlet in outlets:
            outlet.offer(relit)

    def drop(self, outlet: Outlet) -> None:
        """No more for this consumer; its track ends. May be called twice."""
        with self._lock:
            if outlet in self._open:
                self._open.remove(outlet)
                self._lost += outlet.dropped
        outlet.close()

    def close(self) -> None:
        """No more for anybody, now and later."""
        with self._lock:
            self._closed = True
            outlets = list(self._open)
        for outlet in outlets:
            self.drop(outlet)
