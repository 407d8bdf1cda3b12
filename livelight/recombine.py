"""The network's small gain and offset, applied to the frame at its full resolution: pores and hair stay.

Everything here is sRGB-coded: relit = frame * gain + offset (gain in linear light is about gain^2.2). The network is
trained through exactly this formula.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.lighting import Light
from livelight.scratch import Scratch

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Box = tuple[slice, slice]
"""Rows and columns of a picture."""

_CODED = 1 / 2.2
"""A linear gain g of a picture is the gain g^(1/2.2) of its sRGB code, to 3 levels for g in 0.25..2."""


class Recombiner:
    """Puts the pieces together; keeps its full-resolution pictures from frame to frame."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

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
        relit = np.empty_like(frame)
        _store(*self._change(frame, gain, offset, (slice(None), slice(None))), relit)
        rest = cv2.subtract(1.0, alpha, dst=self._scratch.picture("rest", alpha.shape))
        return np.asarray(cv2.blendLinear(relit, backdrop, alpha, rest, dst=relit))

    def _change(self, frame: U8, gain: F32, offset: F32, where: Box) -> tuple[F32, F32]:
        """frame * gain + offset and frame, inside a box: float32 (rows, columns, 3), 0..255 scale, in scratch."""
        size = (frame.shape[1], frame.shape[0])
        change = cv2.resize(gain, size, dst=self._scratch.picture("gain", frame.shape))[where]
        offset = cv2.resize(offset, size, dst=self._scratch.picture("offset", frame.shape))[where]
        # OpenCV is four times faster on float pictures than on mixed ones, so the frame is converted first.
        source = self._scratch.picture("source", frame.shape)[where]
        np.copyto(source, frame[where])
        cv2.multiply(change, source, dst=change)
        cv2.add(change, offset, dst=change)
        return change, source

    def _over_own_room(self, frame: U8, gain: F32, offset: F32, alpha: F32) -> U8:
        """Change only where alpha says; elsewhere the frame comes out bit for bit."""
        out = frame.copy()
        where = covered(alpha)
        if where is None:
            return out
        change, source = self._change(frame, gain, offset, where)
        inside = alpha[where]
        alpha3 = cv2.merge([inside, inside, inside], dst=self._scratch.picture("alpha", frame.shape)[where])
        cv2.multiply(change, alpha3, dst=change)
        _store(change, source, out[where])
        return out


def covered(alpha: F32) -> Box | None:
    """The smallest box that holds every pixel of alpha (h, w) above 0, or None if there is none."""
    rows, columns = alpha.max(1).nonzero()[0], cv2.reduce(alpha, 0, cv2.REDUCE_MAX).ravel().nonzero()[0]
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _store(change: F32, source: F32, out: U8) -> None:
    """out = change + source, rounded and clipped; overwrites change."""
    cv2.add(change, source, dst=change)
    cv2.threshold(change, 0.0, 0.0, cv2.THRESH_TOZERO, dst=change)  # convertScaleAbs would mirror what is below 0
    cv2.convertScaleAbs(change, dst=out)


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
