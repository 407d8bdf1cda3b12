"""OpenCV without words of its own on stderr, while we read or write a file whose faults we tell ourselves."""

from __future__ import annotations

import threading
from types import TracebackType

import cv2


class QuietOpenCV:
    """In its ``with`` block OpenCV logs nothing. Its level is the whole process's: several threads may be inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._level = 0

    def __enter__(self) -> None:
        log = cv2.utils.logging
        with self._lock:
            if self._inside == 0:
                self._level = log.setLogLevel(log.LOG_LEVEL_SILENT)
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                cv2.utils.logging.setLogLevel(self._level)


quiet_opencv = QuietOpenCV()
"""The one for this process."""
