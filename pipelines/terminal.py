"""Single keys from the terminal, without Enter."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

_POLL_S = 0.1


class TerminalKeys:
    """While the ``with`` block runs, every key goes to ``pressed``, on a thread of its own; Ctrl-C stays Ctrl-C.

    Does nothing where stdin is no terminal, or the program runs in the background. ``restore`` may be called at any
    time, and twice.
    """

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        self._ended = threading.Event()
        self._saved: Any = None
        self._thread: threading.Thread | None = None
        self.active = False

    def __enter__(self) -> TerminalKeys:
        if sys.stdin is None or not sys.stdin.isatty():
            return self
        if sys.platform == "win32":
            read = self._read_windows
        else:
            import termios
            import tty

            fd = sys.stdin.fileno()
            if not _in_foreground(fd):  # in the background, touching the terminal would stop the program
                return self
            self._saved = termios.tcgetattr(fd)
            tty.setcbreak(fd)
            read = self._read_posix
        self.active = True
        self._thread = threading.Thread(target=read, name="livelight-keys", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)
        self.restore()

    def restore(self) -> None:
        """Give the terminal back as it was."""
        saved, self._saved = self._saved, None
        if saved is not None and sys.platform != "win32":
            import termios

            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, saved)

    def _read_posix(self) -> None:
        import select

        fd = sys.stdin.fileno()
        while not self._ended.is_set():
            if not select.select([fd], [], [], _POLL_S)[0]:
                continue
            typed = os.read(fd, 64).decode(errors="ignore")
            if not typed:  # the terminal is gone
                return
            for key in split_keys(typed):
                self._pressed(key)

    def _read_windows(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            while not self._ended.wait(_POLL_S):
                while msvcrt.kbhit():
                    self._pressed(msvcrt.getwch())


def _in_foreground(fd: int) -> bool:
    try:
        return os.getpgrp() == os.tcgetpgrp(fd)
    except OSError:  # a terminal that is not ours, such as a serial console's
        return False


def split_keys(typed: str) -> list[str]:
    """Characters, and escape sequences such as those of arrows in one piece each."""
    keys: list[str] = []
    at = 0
    while at < len(typed):
        end = at + 1
        if typed[at] == "\x1b" and typed[at + 1 : at + 2] == "[":
            end = at + 2
            while end < len(typed) and not typed[end].isalpha() and typed[end] != "~":
                end += 1
            end += 1
        keys.append(typed[at:end])
        at = end
    return keys
