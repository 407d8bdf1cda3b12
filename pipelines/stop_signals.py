"""Ctrl-C and SIGTERM end the program within two seconds, whatever it is doing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

PATIENCE_S, RECORDING_PATIENCE_S = 1.6, 20.0
"""After a signal, so long may an orderly end take; then the process ends itself. The system frees its
devices; a recording, though, is to be finished."""


class StopSignals:
    """In its ``with`` block the first signal calls ``stop`` once ``running`` is set, and unwinds the stack before.

    Native code can keep Python's own handlers from running, so a thread hears of the signal too, and ends the process
    if it still lives after ``patience_s``; ``last_words`` is called before. ``status``: what to exit with.
    Only for the main thread.
    """

    def __init__(self, stop: Callable[[], None], last_words: Callable[[], None] = lambda: None) -> None:
        self._stop, self._last_words = stop, last_words
        self.running = False
        self.patience_s = PATIENCE_S
        self.status = 0

    def __enter__(self) -> StopSignals:
        self._heard, told = socket.socketpair()
        told.setblocking(False)
        self._told = told
        self._wakeup = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        self._before = [(s, signal.signal(s, self._handle)) for s in (signal.SIGINT, signal.SIGTERM)]
        threading.Thread(target=self._watch, name="livelight-stop", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The watch goes on: leaving the program takes time, too."""
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for number, handler in self._before:
            signal.signal(number, handler)
        if not self.status:
            self._told.close()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.status = 128 + number
        if self.running:
            self._stop()
        else:
            raise SystemExit(self.status)

    def _watch(self) -> None:
        heard = self._heard.recv(1)
        if not heard:  # left without a signal
            return
        threading.Event().wait(self.patience_s)
        with contextlib.suppress(OSError, ValueError):
            self._last_words()
        os._exit(128 + heard[0])
