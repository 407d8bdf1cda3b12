"""Work on a full picture, cut into bands of rows: what a band needs stays in the cache, and all cores take part."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

import cv2

Item = TypeVar("Item")

BAND_PIXELS = 1 << 16
"""Pixels of a band, about. Smaller ones stay in a nearer cache, but Python's threads then wait for each other."""

MOST = 4
"""Threads at most: beyond, memory is the limit."""


class Bands:
    """A few threads that share the rows of a picture. One caller at a time; ``close`` ends the threads.

    threads: how many work, the caller's included; 0 takes as many as OpenCV uses, MOST at most.
    """

    def __init__(self, threads: int = 0) -> None:
        self._lanes = threads or min(max(cv2.getNumThreads(), 1), os.cpu_count() or 1, MOST)
        self._pool = ThreadPoolExecutor(max(self._lanes - 1, 1), "livelight-beside")

    @property
    def executor(self) -> Executor:
        """Its other threads, for work beside the caller's: they are idle until ``each`` is called."""
        return self._pool

    def both(self, first: Callable[[], None], second: Callable[[], None]) -> None:
        """Run two pieces of work at the same time; raises what they raise."""
        beside = self._pool.submit(second)
        try:
            first()
        finally:
            beside.result()

    def each(self, items: Sequence[Item], work: Callable[[Item, int], None]) -> None:
        """Call ``work`` once with every item, on all threads.

        ``work`` also gets the number of its lane; two calls with the same number never run at the same time.
        """
        rest, lock = iter(items), threading.Lock()

        def run(lane: int) -> None:
            while True:
                with lock:
                    item = next(rest, None)
                if item is None:
                    return
                work(item, lane)

        others = [self._pool.submit(run, lane) for lane in range(1, min(self._lanes, len(items)))]
        try:
            run(0)
        finally:
            for other in others:
                other.result()

    def close(self) -> None:
        """End the threads; of no more use then. May be called twice."""
        self._pool.shutdown()


class Ahead:
    """Work on the bands of a picture that one thread does until it is hurried, and who needs a band does the rest.

    ``run``, of one thread, ends at latest after the band in hand when ``hurry`` is set. After its end any thread may
    call ``need``, once for each band.
    """

    def __init__(self, bands: Sequence[slice], work: Callable[[slice], None], hurry: threading.Event) -> None:
        self._bands, self._work, self._hurry = bands, work, hurry
        self._done = 0

    def run(self) -> None:
        for rows in self._bands:
            if self._hurry.is_set():
                return
            self._work(rows)
            self._done += 1

    def need(self, number: int) -> slice:
        """The rows of band ``number``, done by now."""
        if number >= self._done:
            self._work(self._bands[number])
        return self._bands[number]


def bands_of(height: int, width: int) -> list[slice]:
    """The rows of the bands of a picture, from the top."""
    count = max(1, BAND_PIXELS // width)
    return [slice(y, min(y + count, height)) for y in range(0, height, count)]
