"""Which light falls on the person, and what stands behind them, at a moment: the value the relighter is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Light:
    """The light of one moment.

    code: float32 (16, 16, 3), linear scene-referred radiance, Rec.709, lat-long (livelight.environment), exposed: under
    code a grey card of albedo 0.18 that faces the camera comes out at linear 0.18 x 2**exposure_ev.
    backdrop: uint8 (h, w, 3) sRGB picture of the frame's size that replaces the room behind the person, or None to keep
    the frame's own background.
    blur: radius in pixels of a 720-line picture by which the frame's own background is blurred (0 = not); only
    without a backdrop.
    intensity: [0, 1.5]; 0 leaves the person untouched, 1 relights fully, above 1 the change is exaggerated.
    tone_gain: float32 (3,), linear gain on the relit person that matches exposure and tint to the backdrop; ones =
    none.
    brighten: [0, 1]; how much of the brightness that the light takes from the person is given back
    (livelight.brightness); 0 where tone_gain or a file's own exposure says how bright they are before a backdrop.
    exposure_stops: what was asked for above the standard exposure; ``brighten`` does not undo it.
    """

    code: NDArray[np.float32]
    backdrop: NDArray[np.uint8] | None
    blur: float
    intensity: float
    tone_gain: NDArray[np.float32]
    brighten: float = 0.0
    exposure_stops: float = 0.0


class Lighting(Protocol):
    """Light as a function of time; called by one thread with times that do not decrease."""

    def at(self, time_s: float, width: int, height: int) -> Light:
        """The light at ``time_s`` seconds since the first frame, with backdrops of width x height pixels."""
        ...
