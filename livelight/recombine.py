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


class Recombiner:
    """Holds the full-resolution scratch pictures, so that no frame allocates (a page fault costs more than the sum)."""

    def __init__(self) -> None:
        self._scratch: dict[str, F32] = {}

    def __call__(self, frame: U8, gain: F32, offset: F32, matte: F32, alpha: F32, light: Light) -> U8:
        """Relight the person and put them before the room or its replacement.

        frame: uint8 (h, w, 3) sRGB. gain, offset: float32 (n, m, 3), any smaller grid over the same picture. matte:
        float32, any small grid, where gain and offset are to be trusted. alpha: float32 (h, w) in [0, 1], straight.
        Returns a new uint8 (h, w, 3) sRGB.
        """
        gain, offset = effective_change(gain, offset, matte, light)
        if light.backdrop is None and light.blur == 0:
            return self._over_own_room(frame, gain, offset, alpha)
        backdrop = light.backdrop if light.backdrop is not None else blur_room(frame, alpha, light.blur)
        relit = cv2.add(self._change(frame, gain, offset), frame, dtype=cv2.CV_8U)
        return np.asarray(cv2.blendLinear(relit, backdrop, alpha, 1.0 - alpha))

    def _picture(self, name: str, shape: tuple[int, ...]) -> F32:
        array = self._scratch.get(name)
        if array is None or array.shape != shape:
            array = self._scratch[name] = np.empty(shape, np.float32)
        return array

    def _change(self, frame: U8, gain: F32, offset: F32) -> F32:
        """frame * gain + offset at full resolution, float32 (h, w, 3), 0..255 scale, in scratch."""
        size = (frame.shape[1], frame.shape[0])
        change = cv2.resize(gain, size, dst=self._picture("gain", frame.shape))
        cv2.multiply(frame, change, dst=change, dtype=cv2.CV_32F)
        return np.asarray(
            cv2.add(change, cv2.resize(offset, size, dst=self._picture("offset", frame.shape)), dst=change)
        )

    def _over_own_room(self, frame: U8, gain: F32, offset: F32, alpha: F32) -> U8:
        """Change only where alpha says; elsewhere the frame comes out bit for bit."""
        change = self._change(frame, gain, offset)
        alpha3 = cv2.merge([alpha, alpha, alpha], dst=self._picture("alpha", frame.shape))
        cv2.multiply(change, alpha3, dst=change)
        return np.asarray(cv2.add(change, frame, dtype=cv2.CV_8U))


def effective_change(gain: F32, offset: F32, matte: F32, light: Light) -> tuple[F32, F32]:
    """Gain - 1 and offset (0..255) with intensity and tone, smoothly continued to where nobody is.

    The continuation keeps the upsampled edge of the person free of what the network says of the room: no halo.
    """
    tone = np.power(light.tone_gain, _CODED)
    gain_by = (*(tone * light.intensity).tolist(), 0.0)
    gain = cv2.add(cv2.multiply(gain, gain_by), (-light.intensity,) * 3 + (0.0,))
    offset = cv2.multiply(offset, tuple(255 * g for g in gain_by))
    weight = cv2.resize(matte, (gain.shape[1], gain.shape[0]))
    weight3 = cv2.merge([weight, weight, weight])
    total = cv2.blur(weight3, (15, 15)) + np.float32(1e-3)

    def continued(x: F32) -> F32:
        near = cv2.divide(cv2.blur(cv2.multiply(x, weight3), (15, 15)), total)
        return np.asarray(near + cv2.multiply(weight3, x - near))

    return continued(gain), continued(offset)


def blur_room(frame: U8, alpha: F32, radius: float) -> U8:
    """The frame's own room out of focus, without the person's colours in it. radius: pixels of a 720-line picture."""
    h, w = frame.shape[:2]
    small = (max(w // 4, 1), max(h // 4, 1))
    sigma = max(radius * h / 720 / 4, 0.3)
    room = (1 - cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)) ** 2 + np.float32(1e-6)
    picture = cv2.resize(frame, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    blurred = (
        cv2.GaussianBlur(picture * room[..., None], (0, 0), sigma) / cv2.GaussianBlur(room, (0, 0), sigma)[..., None]
    )
    return np.asarray(cv2.resize(np.clip(blurred, 0, 255).astype(np.uint8), (w, h), interpolation=cv2.INTER_CUBIC))
