"""Keeps the memory of ended sessions from staying with the process, where the C library is glibc.

glibc lets every thread take an arena of its own, and gives the end of an arena back only when all above it is free. A
session's pictures, codecs and keys are freed on the threads that happened to work for it, so that a server which has
had a few hundred sessions holds megabytes of free memory in each arena.
"""

from __future__ import annotations

import ctypes
import sys

ARENAS = 2
_M_ARENA_MAX = -8  # malloc.h


def few_arenas() -> None:
    """From now on at most ARENAS arenas; those that are there stay. To be called before threads begin to work."""
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Free pages of all arenas go to the system. Takes some milliseconds, in which other threads wait for memory."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") else None
