"""Other looks at a frame: the frozen base's at smaller pictures, and a larger relighter's. They err in other ways.

Averaged with the base's answers to the picture as it is and to its mirror, in the logarithm in which they are averaged
too. How bright the person is as a whole stays as it was: that is what the exposure head has been fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.runtimes import STRIDE, NetworkOutput, NetworkState, Runtime
from offline.denoiser import F32
from offline.level import level


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at a frame. part: the side of the network's picture, of the whole's; mirrored: turned over."""

    part: float = 1.0
    mirrored: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of its picture, multiples of STRIDE."""
        w, h = (max(round(x * self.part / STRIDE), 2) * STRIDE for x in (width, height))
        return w, h


PLAIN = (View(), View(mirrored=True))
"""What the diffusion network is told of, with the states before it."""

SMALLER = (View(0.667), View(0.833, mirrored=True))
"""The base's beside PLAIN. What they are worth: `training.evaluate --questions`, "one size"."""

LARGE = (View(), View(mirrored=True), View(0.833), View(0.667, mirrored=True))
"""The larger relighter's. All views have one weight. What they are worth: "without the larger relighter"."""


MOST_PERSON = 20_000
"""Pixels that people cover in a view beside PLAIN, at most. A face that fills 192 x 192 pixels is relit worse
than the same face at 128 x 128."""


class Seen:
    """A relighter's answers to one view of a clip's frames, in their order, with a state of its own."""

    def __init__(self, relighter: Runtime, view: View) -> None:
        self._relighter, self._view = relighter, view
        self.state: NetworkState | None = None

    def at(self, picture: NDArray[np.uint8], light: F32) -> F32:
        """Level (offline.level) of the relit picture, float32 (3, h/2, w/2), turned back.

        picture: uint8 (h, w, 3) sRGB. light: (16, 16, 3) linear.
        """
        h, w = picture.shape[:2]
        turn = slice(None, None, -1 if self._view.mirrored else 1)
        image, size = np.ascontiguousarray(picture[:, turn]), self._view.size(w, h)
        small = image if size == (w, h) else np.asarray(cv2.resize(image, size), np.uint8)
        output = self._relighter.run(small, np.ascontiguousarray(light[:, turn]), self.state)
        self.state = output.state
        return level(_relit(image, output))[..., turn]


Asked = tuple[Runtime, View]
"""Who is asked about which view."""


def others_of(base: Runtime, large: Runtime) -> tuple[Asked, ...]:
    """All that is asked beside PLAIN."""
    return (*((base, view) for view in SMALLER), *((large, view) for view in LARGE))


def kept_small(asked: Sequence[Asked], covered: float) -> tuple[Asked, ...]:
    """The same views in pictures that leave people no more than MOST_PERSON pixels. covered: pixels of a whole one."""
    part = min(1.0, math.sqrt(MOST_PERSON / max(covered, 1.0)))
    return tuple((relighter, replace(view, part=view.part * part)) for relighter, view in asked)


def _relit(image: NDArray[np.uint8], output: NetworkOutput) -> F32:
    size = (image.shape[1], image.shape[0])
    gain, offset = (cv2.resize(x, size) for x in (output.gain, output.offset))
    return np.clip(image.astype(np.float32) / np.float32(255) * gain + offset, 0, 1)


def change_by(others: Sequence[F32], plain: Sequence[F32], matte: F32) -> F32:
    """What ``others``, levels too, add to the mean of ``plain`` ones, the person's mean brightness aside.

    Levels: float32 (3, h/2, w/2). matte: float32 (1, h/2, w/2) in [0, 1]. Returns float32 (3, h/2, w/2).
    """
    mean = sum(plain[1:], plain[0]) / np.float32(len(plain))
    if not others:
        return np.zeros_like(mean)
    change = sum((o - mean for o in others), np.zeros_like(mean)) / np.float32(len(plain) + len(others))
    whole = float((change * matte).sum()) / (3 * float(matte.sum()) + 1e-3)
    return np.asarray(change - np.float32(whole), np.float32)
