"""Whether a program reads a v4l2loopback device."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path
from typing import Protocol

from livelight import v4l2

USAGE_EVENTS = (0x10E00001, 0x08000000)
"""V4L2_EVENT_PRI_CLIENT_USAGE since 0.13, and the number that Ubuntu's 0.12 has."""

SYNC_S = 10.0
"""How often what was heard is checked against what is: a lost event must not leave the camera off or on."""

SCAN_S = 0.25


class Readers(Protocol):
    """Asked by one thread; never waits."""

    def watched(self) -> bool: ...

    def close(self) -> None: ...


def readers_of(fd: int, path: str) -> Readers:
    """By the driver's own event, else by who has the device open. ``fd``: the writer's, non-blocking."""
    for event in USAGE_EVENTS:
        try:
            return EventReaders(fd, path, event)
        except OSError:  # a driver that does not know the event
            continue
    return OpenReaders(path)


class EventReaders:
    """Told by the driver when a program starts or stops streaming."""

    def __init__(self, fd: int, path: str, event: int) -> None:
        """Raises OSError if the driver does not know the event."""
        self._fd, self._path, self._event = fd, path, event
        self._watched = False
        self._subscribe(fd)
        self._synced_s = time.monotonic()

    def watched(self) -> bool:
        heard = newest_count(self._fd)
        if heard is None and time.monotonic() - self._synced_s > SYNC_S:
            heard = self._asked_anew()
        if heard is not None:
            self._watched = heard > 0
            self._synced_s = time.monotonic()
        return self._watched

    def close(self) -> None:
        """Nothing: the subscription ends with the device's descriptor."""

    def _subscribe(self, fd: int) -> None:
        asked = v4l2.EventSubscription(type=self._event, flags=v4l2.EVENT_SEND_INITIAL)
        v4l2.ask(fd, v4l2.SUBSCRIBE_EVENT, asked)

    def _asked_anew(self) -> int | None:
        """The count as a new subscriber hears it: the driver tells the present state at subscription alone."""
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            self._subscribe(fd)
            return newest_count(fd)
        except OSError:
            return None
        finally:
            os.close(fd)


def newest_count(fd: int) -> int | None:
    """The count in the last event that waits on a non-blocking descriptor, or None."""
    count: int | None = None
    try:
        while True:
            event = v4l2.ask(fd, v4l2.DQEVENT, v4l2.Event())
            if event.type in USAGE_EVENTS:
                count = int(event.data[0] & 0xFFFFFFFF)
    except OSError:  # no more events
        return count


class OpenReaders:
    """Programs that have the device open, for drivers without the event (such as Debian 12's 0.12.7).

    inotify tells when the device is opened or closed; only then the descriptors of all processes are looked through.
    Programs of other users are not seen. A program that only holds the device open counts as a reader.
    """

    _IN_OPEN, _IN_CLOSE = 0x20, 0x18

    def __init__(self, path: str) -> None:
        self._device = os.stat(path).st_rdev
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._notify = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._notify >= 0:
            self._libc.inotify_add_watch(self._notify, os.fsencode(path), self._IN_OPEN | self._IN_CLOSE)
        self._watched, self._pending, self._scanned_s = False, True, -SYNC_S

    def watched(self) -> bool:
        now_s = time.monotonic()
        self._pending = self._heard() or self._pending
        since_s = now_s - self._scanned_s
        if (self._pending and since_s > SCAN_S) or since_s > SYNC_S:
            self._pending, self._scanned_s = False, now_s
            self._watched = held_by_others(self._device)
        return self._watched

    def _heard(self) -> bool:
        """Whether the device was opened or closed since the last call."""
        if self._notify < 0:
            return time.monotonic() - self._scanned_s > 1.0  # no inotify: look every second
        try:
            return bool(os.read(self._notify, 65536))
        except OSError:
            return False

    def close(self) -> None:
        if self._notify >= 0:
            os.close(self._notify)
            self._notify = -1


def held_by_others(device: int) -> bool:
    """Whether another process has the device (st_rdev) open; looks through /proc."""
    own = str(os.getpid())
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or process.name == own:
            continue
        try:
            descriptors = os.listdir(process / "fd")
        except OSError:  # it has ended, or belongs to another user
            continue
        for descriptor in descriptors:
            try:
                link = f"{process}/fd/{descriptor}"
                if os.readlink(link).startswith("/dev/") and os.stat(link).st_rdev == device:
                    return True
            except OSError:  # closed meanwhile
                continue
    return False
