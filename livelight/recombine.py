"""The network's small gain and offset, applied to the frame at its full resolution: pores and hair stay.

Everything here is sRGB-coded: relit = frame * gain + offset (gain in linear light is about gain^2.2). The network is
trained through exactly this formula.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.lighting import Light

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

_CODED = 1 / 2.2
"""A linear gain g of a picture is the gain g^(1/2.2) of its sRGB code, to 3 levels for g in 0.25..2."""


def recombine(frame: U8, gain: F32, offset: F32, matte: F32, alpha: F32, light: Light) -> U8:
    """Relight the person and put them before the room or its replacement.

    frame: uint8 (h, w, 3) sRGB. gain, offset: float32 (n, m, 3), any smaller grid over the same picture. matte:
    float32, any small grid, where gain and offset are to be trusted. alpha: float32 (h, w) in [0, 1], straight.
    Returns a new uint8 (h, w, 3) sRGB.
    """
    gain, offset = _effective(gain, offset, matte, light)
    if light.backdrop is None and light.blur == 0:
        return _over_own_room(frame, gain, offset, alpha)
    backdrop = light.backdrop if light.backdrop is not None else blur_room(frame, alpha, light.blur)
    relit = _change(frame, gain, offset)
    relit = cv2.add(relit, frame, dtype=cv2.CV_8U)
    return np.asarray(cv2.blendLinear(relit, backdrop, alpha, 1.0 - alpha))


def _effective(gain: F32, offset: F32, matte: F32, light: Light) -> tuple[F32, F32]:
    """Gain - 1 and offset (0..255), with intensity and tone, smoothly continued to where nobody is."""
    tone = np.power(light.tone_gain, _CODED).astype(np.float32)
    change = np.concatenate([gain * tone - 1, offset * tone * 255], 2) * np.float32(light.intensity)
    weight = np.clip(cv2.resize(matte, (gain.shape[1], gain.shape[0])), 0.0, 1.0)
    size = (15, 15)
    near = cv2.blur(change * weight[..., None], size) / (cv2.blur(weight, size) + 1e-3)[..., None]
    change = near + weight[..., None] * (change - near)
    return change[..., :3], change[..., 3:]


def _change(frame: U8, gain: F32, offset: F32) -> F32:
    """frame * (gain - 1) + offset at full resolution, float32 (h, w, 3), 0..255 scale."""
    size = (frame.shape[1], frame.shape[0])
    change = cv2.multiply(frame, cv2.resize(gain, size), dtype=cv2.CV_32F)
    return np.asarray(cv2.add(change, cv2.resize(offset, size), dst=change))


def _over_own_room(frame: U8, gain: F32, offset: F32, alpha: F32) -> U8:
    """Change only where alpha says; elsewhere the frame comes out bit for bit."""
    change = _change(frame, gain, offset)
    change = cv2.multiply(change, cv2.merge([alpha, alpha, alpha]), dst=change)
    return np.asarray(cv2.add(change, frame, dtype=cv2.CV_8U))


def blur_room(frame: U8, alpha: F32, radius: float) -> U8:
    """The frame's own room out of focus, without the person's colours in it. radius: pixels of a 720-line picture."""
    h, w = frame.shape[:2]
    small = (max(w // 4, 1), max(h // 4, 1))
    sigma = max(radius * h / 720 / 4, 0.3)
    room = 1.02 - cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    room = room[..., None] ** 2
    picture = cv2.resize(frame, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    blurred = cv2.GaussianBlur(picture * room, (0, 0), sigma) / cv2.GaussianBlur(room, (0, 0), sigma)[..., None]
    return np.asarray(cv2.resize(np.clip(blurred, 0, 255).astype(np.uint8), (w, h), interpolation=cv2.INTER_CUBIC))
