"""Which frames of a clip, and which square of them, a training sample shows."""

from __future__ import annotations

import numpy as np

from training.light_stage.footage import SKIN, Footage, Window

NEAREST = 0.6
"""Side of a near window, of the crop's, at least."""


def random_window(rng: np.random.Generator, shape: tuple[int, int, int], crop: int, frames: int) -> Window:
    """A random run of frames, all there are of a shorter clip, and a random square of at least crop pixels of a clip of
    `shape` (t, h, w).
    """
    t, h, w = shape
    start = int(rng.integers(max(t - frames, 0) + 1))
    side = int(rng.integers(crop, min(h, w) + 1))
    y, x = int(rng.integers(h - side + 1)), int(rng.integers(w - side + 1))
    return Window(start, frames, y, x, side)


def near_window(rng: np.random.Generator, footage: Footage, crop: int, window: Window) -> Window:
    """The window's frames in a square smaller than the crop about some of the skin that they show, if they show any."""
    arrays, (_, h, w) = footage.clip.arrays, footage.clip.shape
    first, last = arrays["frame_start"][window.start : window.start + 2]
    skin = arrays["pixel"][first:last][arrays["label"][first:last] == SKIN]
    if len(skin) == 0:
        return window
    row, column = divmod(int(rng.choice(skin[: len(skin) // 2 + 1])), w)  # the upper half: faces, mostly
    side = int(rng.integers(int(NEAREST * crop), min(crop, h, w)))
    y, x = (int(np.clip(at - side // 2, 0, end - side)) for at, end in ((row, h), (column, w)))
    return Window(window.start, window.frames, y, x, side)
