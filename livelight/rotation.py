"""A rotation as people write it: "A", or "A..B" that moves with time."""

from __future__ import annotations

from dataclasses import dataclass

from livelight.errors import SettingsError

MOST_DEG = 1e6
"""Degrees either way that a rotation may name: nearly three thousand turns."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Degrees from ``start_deg`` to ``end_deg`` over ``length_s`` seconds, evenly.

    repeats: True begins again after length_s (live cameras), False stays at end_deg (clips).
    """

    start_deg: float
    end_deg: float
    length_s: float
    repeats: bool

    def at(self, time_s: float) -> float:
        """Degrees at a time >= 0."""
        if self.start_deg == self.end_deg:
            return self.start_deg
        done = max(time_s, 0.0) / self.length_s
        done = done % 1.0 if self.repeats else min(done, 1.0)
        return self.start_deg + (self.end_deg - self.start_deg) * done


def parsed_rotation(text: str, clip_duration_s: float | None, period_s: float) -> Rotation:
    """Read "A" or "A..B", degrees of at most MOST_DEG either way. Raises SettingsError for anything else.

    A..B takes the length of the clip; where that is unknown or zero, period_s, over and over.
    """
    parts = text.split("..")
    try:
        degrees = [float(part) for part in parts]
    except ValueError:
        degrees = []
    if len(degrees) not in (1, 2) or not all(abs(angle) <= MOST_DEG for angle in degrees):  # NaN fails every comparison
        raise SettingsError(
            f"rotate must be degrees like 90, or a movement like 0..360, at most {MOST_DEG:.0f} either way; "
            f"got '{text}'."
        )
    known = bool(clip_duration_s)
    return Rotation(degrees[0], degrees[-1], clip_duration_s if clip_duration_s else period_s, repeats=not known)
