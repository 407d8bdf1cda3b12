"""What a live engine reads besides pictures: its inputs' names, and a Light as the numbers that the graph takes."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from livelight.lighting import Light
from livelight.steadying import light_changed

INPUTS = ("frame", "coarse", "light", "knobs", "backdrop")
"""Inputs that cross from the host, in their order in the upload; ``backdrop`` last, since it seldom changes."""

STATES = {
    "state8": "next8",
    "state16": "next16",
    "matte_state": "next_matte",
    "luma_state": "next_luma",
    "change_state": "next_change",
}
"""Input of each state -> output that is its next value."""

PICTURE = "relit"
"""The output that crosses to the host: uint8 (n, h, w, 3), sRGB full range."""

PLANES = "planes"
"""The same as I420 (livelight.frame.Frame.planes), uint8 (n, 3 h / 2, w); crosses with it where that is asked for.
Engines for frames of odd sides have none."""


class Knob(IntEnum):
    """Columns of ``knobs``, float32 (n, 8).

    INTENSITY [0, 1]. TONE_*: the linear tone gain to the power 1 / 2.2. OWN_ROOM: 1 keeps the frame's own background,
    0 takes ``backdrop``. FRESH: 1 drops the states (first frame of a stream). BLUR_SIGMA: of the room's blur, in
    pixels of a picture a quarter as wide and high; read only by a graph that blurs. SUDDEN: how far the light has
    changed since the frame before, livelight.steadying.light_changed.
    """

    INTENSITY = 0
    TONE_R = 1
    TONE_G = 2
    TONE_B = 3
    OWN_ROOM = 4
    FRESH = 5
    BLUR_SIGMA = 6
    SUDDEN = 7


def knobs(light: Light, height: int, before: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """The row (8,) of ``knobs`` for a frame of ``height`` lines.

    before: the code (16, 16, 3) of the stream's last light; None: its states are to be dropped.
    """
    row = np.zeros(len(Knob), np.float32)
    row[Knob.INTENSITY] = light.intensity
    row[Knob.TONE_R : Knob.TONE_B + 1] = np.power(light.tone_gain, 1 / 2.2)
    row[Knob.OWN_ROOM] = light.backdrop is None
    row[Knob.FRESH] = before is None
    row[Knob.SUDDEN] = 0.0 if before is None else light_changed(light.code, before)
    row[Knob.BLUR_SIGMA] = max(light.blur * height / 720 / 4, 0.3)
    return row
