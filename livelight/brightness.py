"""The relit person stays as bright as the camera made them.

A light's exposure says how a grey card comes out, and knows nothing of the exposure that this camera chose for this
room: in a bright one the relit person would look dim. And the network takes many for darker than they are. So what the
light takes from the person's lit parts is given back as one gain, up to a stop. Nothing is ever made darker, and
nothing that shines is burnt out by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.lighting import Light

F32 = NDArray[np.float32]

MOST_STOPS = 1.0
"""Most that a person is brightened, stops of linear light."""

LIT, SHINING = 75.0, 97.0
"""Percentiles of a person's luma: parts in the light, and the brightest ones that are not a few odd pixels."""

WHITE = 0.7
"""sRGB-coded luma up to which what shines may be brightened; beyond it, only to what it was."""

EVERY = 4
"""Pixels of the network's picture from one that is looked at to the next."""

LUMA = np.array((0.299, 0.587, 0.114), np.float32)

FEWEST = 24
"""Pixels of the person below which nothing can be told."""

RATE = 1 / 15
"""Part of the way that is gone in each frame: half a second at 30 frames a second."""

GAMMA = 2.2
"""Between linear gains and those of sRGB-coded values, as in livelight.recombine."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Some pixels of a person, every fourth of the network's picture to either side, before they are relit.

    rows, columns: (k,), their places; colours: float32 (k, 3), sRGB-coded [0, 1].
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    colours: F32

    @classmethod
    def of(cls, picture: NDArray[np.uint8], matte: F32) -> Sample:
        """From a picture (h, w, 3) sRGB and a matte of any size."""
        few = picture[::EVERY, ::EVERY]
        rows, columns = np.nonzero(cv2.resize(matte, (few.shape[1], few.shape[0])) > 0.5)
        return cls(EVERY * rows, EVERY * columns, few[rows, columns] * np.float32(1 / 255))

    def lost(self, gain: F32, offset: F32, asked: float) -> float | None:
        """``lost_stops`` under a gain and an offset, float32 (h, w, 3), on the picture's grid."""
        at = self.rows, self.columns
        relit = np.clip(self.colours * gain[at] + offset[at], 0, 1)
        return lost_stops(self.colours @ LUMA, relit @ LUMA, asked)


def lost_stops(source: F32, relit: F32, asked: float) -> float | None:
    """By how many stops, 0 to MOST_STOPS, a person should be brightened; None where too little of them is seen.

    source, relit: (k,) luma, sRGB-coded [0, 1], of the person's pixels before and after. asked: stops of exposure that
    were asked for, which are to be seen.
    """
    if source.size < FEWEST:
        return None
    before, after = (_levels(luma) for luma in (source, relit))
    lit = before[0] / max(after[0], 0.02)
    shining = max(before[1], WHITE) / max(after[1], 0.02)
    return float(np.clip(GAMMA * np.log2(max(min(lit, shining), 1e-3)) + asked, 0, MOST_STOPS))


def _levels(luma: F32) -> tuple[float, float]:
    """Percentiles LIT and SHINING of (k,) values: numpy's own, but in a fifth of its time for some hundred values."""
    ordered, last = np.sort(luma), luma.size - 1
    lit, shining = np.interp((LIT / 100 * last, SHINING / 100 * last), np.arange(luma.size), ordered)
    return float(lit), float(shining)


def followed(last: float | None, lost: float | None) -> float:
    """The stops to brighten by: they follow what is lost, and begin there. last: those of the frame before."""
    if lost is None:
        return last or 0.0
    return lost if last is None else last + RATE * (lost - last)


def brightened(light: Light, stops: float) -> Light:
    """The light with a tone gain that brightens the person by as much of ``stops`` as the light asks for."""
    if stops == 0 or light.brighten == 0:
        return light
    return replace(light, tone_gain=light.tone_gain * np.float32(2.0 ** (light.brighten * stops)))


def luma_of(picture: NDArray[np.uint8] | F32) -> F32:
    """(h, w) luma in [0, 1] of an sRGB-coded picture (h, w, 3), uint8 or float32 in [0, 1]."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey if grey.dtype == np.float32 else grey * np.float32(1 / 255), np.float32)
