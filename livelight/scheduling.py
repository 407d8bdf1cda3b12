"""Keep this process an ordinary one for the system's scheduler, whatever a library asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def scheduling_kept() -> Iterator[None]:
    """Undo what the block's libraries do to the scheduling of this process's threads; threads that they start get the
    caller's. Does nothing but on Linux.

    SVT-AV1, opened by a process of root, makes the calling thread and all its own a real-time process of the highest
    priority (SCHED_FIFO, 99), for good: programs started afterwards inherit it, and nothing else gets a core.
    """
    if sys.platform != "linux":
        yield
        return
    before = {thread: _scheduling(thread) for thread in _threads()}
    own = _scheduling(0)
    try:
        yield
    finally:
        for thread in _threads():
            wanted = before.get(thread, own)
            try:
                if wanted and _scheduling(thread) != wanted:
                    os.sched_setscheduler(thread, wanted[0], os.sched_param(wanted[1]))
            except ProcessLookupError:  # it has ended
                continue


def _threads() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/task")]


def _scheduling(thread: int) -> tuple[int, int] | None:
    """Policy and real-time priority of a thread; None if it has ended."""
    try:
        return os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority
    except ProcessLookupError:
        return None
