"""A window that shows the frames."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable

import cv2

from livelight.errors import OutputError
from livelight.frame import Frame

_TITLE = "LiveLight"
_ESCAPE = 27
_NO_DESKTOP = (
    "No preview window can be opened here; expected an X display (DISPLAY, XWayland) and an OpenCV with windows."
)


class WindowSink:
    """Shows frames in a window of the desktop (WatchedSink: always watched).

    pressed: is told each key that is pressed in the window, on the writing thread; "q" when the window is closed.
    The constructor raises OutputError without a desktop, and on macOS, where a window needs the program's first thread.
    """

    def __init__(self, pressed: Callable[[str], None]) -> None:
        if sys.platform == "darwin":
            raise OutputError("A preview window needs Linux or Windows; look at the picture with livelight serve.")
        if sys.platform.startswith("linux") and not has_x_display(os.environ.get("DISPLAY", "")):
            raise OutputError(_NO_DESKTOP)  # the window library would end the whole program
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")  # of fonts that the window does not use
        self._pressed = pressed
        self._shown = False

    def write(self, frame: Frame) -> None:
        """Raises OutputError where there is no desktop."""
        try:
            if not self._shown:
                cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
                cv2.resizeWindow(_TITLE, frame.width, frame.height)
            elif cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
                self._pressed("q")
                return
            cv2.imshow(_TITLE, cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
            self._shown = True
            key = cv2.pollKey()
        except cv2.error as exc:
            raise OutputError(_NO_DESKTOP) from exc
        if key > 0:
            self._pressed("q" if key == _ESCAPE else chr(key & 0xFF))

    def watched(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing: OpenCV's windows end with the program, and belong to the thread that made them."""

    def abort(self) -> None:
        self.close()


def has_x_display(display: str) -> bool:
    """Whether an X server answers at ``display``, such as ":0"; one on another machine is believed."""
    match = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", display)
    if match is None:
        return bool(display)
    with socket.socket(socket.AF_UNIX) as probe:
        for name in (f"\0/tmp/.X11-unix/X{match[1]}", f"/tmp/.X11-unix/X{match[1]}"):
            try:
                probe.connect(name)
            except OSError:
                continue
            return True
    return False
