"""The governor: when frames take longer than they last it gives up quality in stated steps, and takes it back."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from livelight.quality import Adjustable

WINDOW_S, WINDOW_FRAMES = 1.5, 10
"""A level is judged on the frames of at least so many seconds, and on so many at least."""

PATIENCE_S, FEWEST_FRAMES = 5.0, 3
"""After so long so few frames will do: a machine that makes one a second must not wait ten seconds for relief."""

TOO_SLOW, ROOM = 0.95, 0.75
"""Down above this part of the frame's time; up if the better level is expected to stay below that part."""

FIRST_HOLD_S, LONGEST_HOLD_S = 10.0, 3600.0
"""There must be room for so long before a step up; three times as long after every step up that did not last."""

LASTED_S = 30.0
"""A step down within this time after a step up means that the step up did not last."""

MOST_RATIO = 1.8
"""No level is believed to cost more than so many times the next: what was slower had another reason, which may pass."""

WARM_UP_FRAMES = 3
"""The first frames of a level are not judged: engines are compiled for its size."""


class Governor:
    """Told how long every frame took, it sets the relighter's level (livelight.quality). One thread.

    Two levels cannot alternate quickly: a step up needs room for seconds, and ever longer each time it does not last.
    """

    def __init__(self, relighter: Adjustable, interval_s: float, notice: Callable[[str], None]) -> None:
        """interval_s: seconds that a frame may take, 1 / frames per second."""
        self._relighter = relighter
        self._interval_s = interval_s
        self._notice = notice
        self._busy_s: list[float] = []
        self._since_s = 0.0
        self._warm = WARM_UP_FRAMES
        self._left_s: float | None = None  # what a frame took at the level above, when it was left downwards
        self._ratio: dict[int, float] = {}  # by level: how many times longer a frame took one level up
        self._room_since_s: float | None = None
        self._hold_s = FIRST_HOLD_S
        self._went_up_s: float | None = None
        self.level = 0

    @property
    def level_name(self) -> str:
        names = self._relighter.level_names
        return names[min(self.level, len(names) - 1)]

    def stepped(self, started_s: float, ended_s: float) -> None:
        """A frame was computed between two moments of the monotonic clock."""
        if self._warm > 0:
            self._warm -= 1
            self._busy_s, self._since_s = [], ended_s
            return
        self._busy_s.append(ended_s - started_s)
        waited_s, frames = ended_s - self._since_s, len(self._busy_s)
        enough = WINDOW_FRAMES if waited_s < PATIENCE_S else FEWEST_FRAMES
        if frames < enough or waited_s < WINDOW_S:
            return
        typical_s = statistics.median(self._busy_s)
        self._busy_s, self._since_s = [], ended_s
        self._judge(typical_s, ended_s)

    def _judge(self, typical_s: float, now_s: float) -> None:
        self.level = min(self.level, len(self._relighter.level_names) - 1)  # another engine may have fewer
        if self._left_s is not None:
            self._ratio[self.level] = min(max(self._left_s / typical_s, 1.0), MOST_RATIO)
            self._left_s = None
        if typical_s > TOO_SLOW * self._interval_s:
            self._room_since_s = None
            if self.level + 1 < len(self._relighter.level_names):
                self._down(typical_s, now_s)
        elif self.level > 0 and self._expected_above_s(typical_s) < ROOM * self._interval_s:
            if self._room_since_s is None:
                self._room_since_s = now_s
            elif now_s - self._room_since_s >= self._hold_s:
                self._up(now_s)
        else:
            self._room_since_s = None

    def _expected_above_s(self, typical_s: float) -> float:
        """What a frame would take one level up."""
        return typical_s * self._ratio.get(self.level, MOST_RATIO)

    def _down(self, typical_s: float, now_s: float) -> None:
        if self._went_up_s is not None and now_s - self._went_up_s < LASTED_S:
            self._hold_s = min(self._hold_s * 3, LONGEST_HOLD_S)
        self._went_up_s, self._left_s = None, typical_s
        self._set(self.level + 1)
        self._notice(
            f"Too slow for {1 / self._interval_s:.0f} frames a second ({typical_s * 1e3:.0f} ms each): "
            f"going down to {self.level_name}."
        )

    def _up(self, now_s: float) -> None:
        self._went_up_s = now_s
        self._set(self.level - 1)
        self._notice(f"There is room again: going up to {self.level_name}.")

    def _set(self, level: int) -> None:
        self.level = level
        self._room_since_s = None
        self._warm = WARM_UP_FRAMES
        self._relighter.set_level(level)
