"""What people do to a running live session: pause it, show the input, start anew, stop."""

from __future__ import annotations

import threading
from collections.abc import Callable


class LiveCommands:
    """Switches of one session, from any thread; the session reads them between two frames."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._bypass = False
        self._resets = 0
        self._stopped = False

    @property
    def paused(self) -> bool:
        """The standby picture is shown and the camera is released."""
        return self._paused

    @property
    def bypass(self) -> bool:
        """The input is shown as it comes."""
        return self._bypass

    @property
    def resets(self) -> int:
        """How often ``reset`` was called: a new number means that the state is to be dropped."""
        return self._resets

    @property
    def stopped(self) -> bool:
        return self._stopped

    def pause(self, on: bool) -> None:
        self._change(lambda: setattr(self, "_paused", on))

    def show_input(self, on: bool) -> None:
        self._change(lambda: setattr(self, "_bypass", on))

    def reset(self) -> None:
        """Forget all earlier frames: the next one starts anew."""
        self._change(lambda: setattr(self, "_resets", self._resets + 1))

    def stop(self) -> None:
        """End the session; ``run_live`` returns soon. For good."""
        self._change(lambda: setattr(self, "_stopped", True))

    def wait(self, timeout_s: float) -> None:
        """Until something changes, at most ``timeout_s`` seconds; at once if it is stopped."""
        with self._changed:
            if not self._stopped:
                self._changed.wait(timeout_s)

    def _change(self, change: Callable[[], None]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()
