"""How the light under which a training sample is filmed changes from frame to frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

SLOWEST, FASTEST = 0.01, 0.3
"""How far a light that drifts goes towards another in a frame."""


def source_schedule(rng: np.random.Generator, frames: int) -> NDArray[np.int64]:
    """Which of two source lights (0 or 1) each frame is taken under: constant, switched once, or changing at random."""
    kind = rng.random()
    if kind < 0.5:
        return np.zeros(frames, np.int64)
    if kind < 0.75:
        return (np.arange(frames) >= rng.integers(1, max(frames, 2))).astype(np.int64)
    return rng.integers(0, 2, frames)


def drift(rng: np.random.Generator, frames: int) -> F32:
    """How much of a second source light each frame has, (frames,) in [0, 1]: a little more, or less, every frame."""
    step = np.exp(rng.uniform(np.log(SLOWEST), np.log(FASTEST))) * rng.choice([-1, 1])
    return np.clip(rng.random() + step * np.arange(frames), 0, 1).astype(np.float32)
