"""The network's gain and offset, averaged over time where nothing moves: still parts of a face must not flicker.

As livelight.segment.steady does with the matte. The network has a memory of its own, but what a camera's noise does to
its answer it takes away only in part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.recombine import flat, thrice
from livelight.runtimes import NetworkOutput

F32 = NDArray[np.float32]

SLOWEST = 0.2
"""Part of the way to the new answer that a still pixel goes in a frame."""

MOVED = 0.06
"""Change of luma [0, 1] about a pixel, from which it goes all the way."""

SUDDEN = 0.05
"""Change of the target light, as a part of it, from which every pixel goes all the way."""


@dataclass(frozen=True, slots=True)
class Steadied:
    """What is remembered of a frame.

    gain, offset: (h, w, 3), as they were used. luma: (h, w) in [0, 1], of the network's picture. code: (16, 16, 3), of
    the target light.
    """

    gain: F32
    offset: F32
    luma: F32
    code: F32


def light_changed(code: F32, before: F32) -> float:
    """0 for the same target light (16, 16, 3) as before, 1 from a change of SUDDEN on."""
    if code is before:
        return 0.0
    return float(min(np.abs(code - before).mean() / (SUDDEN * np.abs(before).mean() + 1e-6), 1.0))


@dataclass(frozen=True, slots=True)
class Motion:
    """What steadying needs of a picture but the network's answer.

    rate: float32 (h, 3 w), the part of the way that each pixel's colours go, None to begin anew. luma, code: as of
    Steadied.
    """

    rate: F32 | None
    luma: F32
    code: F32

    @classmethod
    def of(cls, picture: NDArray[np.uint8], code: F32, before: Steadied | None) -> Motion:
        """Of a picture (h, w, 3) under a light, after what is remembered."""
        luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32) * np.float32(1 / 255)
        if before is None or before.luma.shape != luma.shape:
            return cls(None, luma, code)
        moved = cv2.boxFilter(cv2.absdiff(luma, before.luma), -1, (5, 5)) * np.float32(1 / MOVED)
        return cls(thrice(np.clip(moved, max(SLOWEST, light_changed(code, before.code)), 1)), luma, code)


def steadied(output: NetworkOutput, motion: Motion, before: Steadied | None) -> tuple[NetworkOutput, Steadied]:
    """The answer to a picture, steadied, and what is to be remembered; the arrays are new."""
    from livelight.maps import moved_toward  # compiles

    if before is None or motion.rate is None:
        gain, offset = output.gain.copy(), output.offset.copy()
    else:
        gain, offset = np.empty_like(before.gain), np.empty_like(before.offset)
        moved_toward(flat(output.gain), flat(before.gain), motion.rate, flat(gain))
        moved_toward(flat(output.offset), flat(before.offset), motion.rate, flat(offset))
    return replace(output, gain=gain, offset=offset), Steadied(gain, offset, motion.luma, motion.code)
