"""The pixels of a training sample: the person before the room, and every picture that teaches."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from training.light_stage.footage import CLOTH
from training.light_stage.tone import rolled, srgb_code

F32 = NDArray[np.float32]

SHOULDER = 0.35
"""Highlight roll-off of target pictures above linear 0.6: what the relighter's output looks like when it is bright."""


@numba.njit(cache=True)
def placed(person: F32, still: F32, room: F32) -> tuple[F32, F32]:
    """Scene light (t, h, w, 3) of the premultiplied person over the room; its mean (3,), values capped at 2."""
    scene, total = np.empty_like(person), np.zeros(3)
    for t in range(person.shape[0]):
        for y in range(person.shape[1]):
            for x in range(person.shape[2]):
                through = np.float32(1) - still[t, y, x, 0]
                for c in range(3):
                    light = person[t, y, x, c] + through * room[t, y, x, c]
                    scene[t, y, x, c] = light
                    total[c] += min(light, np.float32(2))
    return scene, (total / (scene.size / 3)).astype(np.float32)


@numba.njit(cache=True)
def finished(
    table: F32, still: F32, person: F32, relit: F32, image: NDArray[np.uint8], room: NDArray[np.uint8], gain: F32
) -> F32:
    """(t, h, w, 23): the first 10 channels of `still`, image, target, shading, target_shading, cloth; see ``Samples``.

    Shading is radiance over albedo, premultiplied both: what a white surface would show there, shadows included.
    """
    t_, h, w, _ = person.shape
    out = np.zeros((t_, h, w, 23), np.float32)
    shoulder, byte = np.float32(SHOULDER), np.float32(1 / 255)
    for t in range(t_):
        for y in range(h):
            for x in range(w):
                alpha = still[t, y, x, 0]
                pixel = out[t, y, x]
                for c in range(3):
                    pixel[10 + c] = np.float32(image[t, y, x, c]) * byte
                    pixel[13 + c] = (np.float32(1) - alpha) * np.float32(room[t, y, x, c]) * byte
                for c in range(10):
                    pixel[c] = still[t, y, x, c]
                pixel[22] = still[t, y, x, CLOTH]
                if alpha == 0:
                    continue
                straight = np.float32(1) / max(alpha, byte)
                for c in range(3):
                    pixel[13 + c] += alpha * srgb_code(table, rolled(relit[t, y, x, c] * straight, shoulder))
                    tint = max(still[t, y, x, 10 + c], np.float32(0.02))
                    pixel[16 + c] = min(person[t, y, x, c] * gain[c] / tint, np.float32(20))
                    pixel[19 + c] = min(relit[t, y, x, c] / tint, np.float32(20))
    return out
