"""How far off a person is, and so how many pixels the network must see for a face to have enough of them.

Below some sixty rows a head's normals are a blur, and its light with them: a haze where a cheek should end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.heads import AROUND, head_of

ENOUGH = 60
"""Rows of a head in the network's picture."""
GROWTHS = (1.0, 1.5, 2.25)
"""How many times as many pixels as usual it sees, at most as many as ENOUGH asks for, about."""
SHORT = 1.3
"""By how much what is needed may exceed a growth before it is left for a larger one. It is left for a smaller one when
that is all that is needed: between the two it stays."""
EVERY = 8
"""Frames from one look at the matte to the next."""
ROWS = 72
"""Of the matte that is looked at."""


@dataclass(frozen=True, slots=True)
class Distance:
    """growth: one of GROWTHS. asked: what the last look at the matte asked for. pause: frames until the next look."""

    growth: float = 1.0
    asked: float = 1.0
    pause: int = EVERY

    @classmethod
    def of(cls, matte: NDArray[np.float32], area: int) -> Distance:
        """At a first frame; see ``after``."""
        growth = fitting(wanted(matte, area), 1.0)
        return cls(growth, growth)

    def after(self, matte: NDArray[np.float32], area: int) -> Distance:
        """One frame later. It changes when two looks ask for the same.

        matte: float32 (h, w) in [0, 1], of the frame's shape. area: pixels that the network usually sees.
        """
        if self.pause > 1:
            return Distance(self.growth, self.asked, self.pause - 1)
        asked = fitting(wanted(matte, area), self.growth)
        return Distance(asked if asked == self.asked else self.growth, asked)


def wanted(matte: NDArray[np.float32], area: int) -> float | None:
    """How many times ``area`` pixels a head needs that is to have ENOUGH rows; None where no head is found."""
    height, width = matte.shape
    square = head_of(cv2.resize(matte, (max(round(width * ROWS / height), 1), ROWS)))
    if square is None:
        return None
    rows = square.side / AROUND / ROWS * math.sqrt(area * height / width)
    return (ENOUGH / rows) ** 2


def fitting(need: float | None, growth: float) -> float:
    """The growth that follows ``growth`` when so much is needed."""
    if need is None:
        return growth
    larger = next((g for g in GROWTHS if g * SHORT >= need), GROWTHS[-1])
    smaller = next((g for g in GROWTHS if g >= need), GROWTHS[-1])
    return larger if larger > growth else min(smaller, growth)
