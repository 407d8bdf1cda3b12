"""NVPR's dynamic-light test: a still performer under changing light, relit to one still light, must stand still.

The light plays 1 to 10 times faster; the error is the mean RMSE of adjacent outputs (NVPR, section 4.2).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from livelight.picture_metrics import rmse
from training.light_stage.dataset import Clip, Panoramas, sample_lights
from training.light_stage.webcam import WebcamSettings, develop
from training.methods import Method

F32 = NDArray[np.float32]

SPEEDS = (1, 2, 4, 6, 8, 10)
KEY_S = 4.0
"""At speed 1 the light goes from one random light to the next in so many seconds."""
RATE = 25
FRAMES = 50


def performance(clip: Clip, panoramas: Panoramas, speed: float, seed: int) -> tuple[F32, F32, F32]:
    """The middle frame of a clip under light that changes: pictures (FRAMES, h, w, 3), alphas, the goal's code.

    Pictures are what a fixed, noiseless camera shows, sRGB-coded in [0, 1], before a grey wall.
    """
    rng = np.random.default_rng(seed)
    keys = [
        sample_lights(rng, panoramas, hard=0.0)[0].code for _ in range(2 + int(FRAMES / RATE * max(SPEEDS) / KEY_S))
    ]
    goal = sample_lights(rng, panoramas, hard=0.0)[0].code
    middle = clip.shape[0] // 2
    alpha = clip.alpha[middle][..., None]
    pictures = []
    for k in range(FRAMES):
        at = k / RATE * speed / KEY_S
        low = int(at)
        code = keys[low] + (keys[low + 1] - keys[low]) * np.float32(at - low)
        linear = clip.relight(code)[middle] + (1 - alpha) * 0.18
        pictures.append(develop(linear, WebcamSettings(), 0, rng))
    return np.stack(pictures).astype(np.float32) / 255, np.repeat(alpha[None], FRAMES, 0), goal


def error(method: Method, images: F32, alphas: F32, light: F32) -> float:
    """Mean RMSE of adjacent outputs on the portrait, the first five frames (the start) left out."""
    out = method(images, alphas, light)[5:]
    return float(np.mean([rmse(a, b, alphas[0, ..., 0]) for a, b in pairwise(out)]))
