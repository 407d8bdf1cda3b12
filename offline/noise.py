"""Noise that depends on seed, frame and step alone: no window, order of work, kill or machine changes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def frame_noise(
    seed: int, step: int, start: int, stop: int, shape: tuple[int, ...], shared: bool = False
) -> NDArray[np.float32]:
    """Unit normal noise of frames start..stop-1: float32 (stop - start, *shape); shared: all frames have the same.

    step: 0 for the noise that a clip begins with, i + 1 for what step i adds. Philox (Salmon et al. 2011) is a
    counter-based generator: each (step, frame) has its own stream, and nothing needs to be remembered.
    """
    drawn = np.empty((stop - start, *shape), np.float32)
    if shared:
        drawn[:] = frame_noise(seed, step, 0, 1, shape)
        return drawn
    for k, frame in enumerate(range(start, stop)):
        stream = np.random.Philox(key=seed, counter=[0, 0, frame, step])
        drawn[k] = np.random.Generator(stream).standard_normal(shape, np.float32)
    return drawn
