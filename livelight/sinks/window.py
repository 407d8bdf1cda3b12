"""A window that shows the frames."""

from __future__ import annotations

import sys
from collections.abc import Callable

import cv2

from livelight.errors import OutputError
from livelight.frame import Frame

_TITLE = "LiveLight"
_ESCAPE = 27


class WindowSink:
    """Shows frames in a window of the desktop (WatchedSink: always watched).

    pressed: is told each key that is pressed in the window, on the writing thread; "q" when the window is closed.
    The constructor raises OutputError on macOS, where a window needs the program's first thread.
    """

    def __init__(self, pressed: Callable[[str], None]) -> None:
        if sys.platform == "darwin":
            raise OutputError("A preview window needs Linux or Windows; look at the picture with livelight serve.")
        self._pressed = pressed
        self._shown = False

    def write(self, frame: Frame) -> None:
        """Raises OutputError where there is no desktop."""
        try:
            if not self._shown:
                cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
                cv2.resizeWindow(_TITLE, frame.width, frame.height)
            elif cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
                self._pressed("q")
                return
            cv2.imshow(_TITLE, cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
            self._shown = True
            key = cv2.pollKey()
        except cv2.error as exc:
            raise OutputError(
                "No preview window can be opened here; expected a desktop and an OpenCV with windows (not headless)."
            ) from exc
        if key > 0:
            self._pressed("q" if key == _ESCAPE else chr(key & 0xFF))

    def watched(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing: OpenCV's windows end with the program, and belong to the thread that made them."""

    def abort(self) -> None:
        self.close()
