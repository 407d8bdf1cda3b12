"""A lock between processes on a file; it is given back when its holder dies, however that happens."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from livelight.errors import OutputError

POLL_S = 0.1


def _try_lock(fd: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def locked(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file ``path`` (made if absent, left behind); ``on_wait`` is called once if another holds it.

    Raises OutputError if the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise OutputError(
            f"the engine cache {path.parent} cannot be written ({exc.strerror}); set LIVELIGHT_CACHE to another folder"
        ) from exc
    try:
        if not _try_lock(fd):
            on_wait()
            while not _try_lock(fd):
                time.sleep(POLL_S)
        yield
    finally:
        os.close(fd)
