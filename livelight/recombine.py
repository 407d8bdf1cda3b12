"""The network's small gain and offset, applied to the frame at its full resolution: pores and hair stay.

Everything here is sRGB-coded: relit = frame * gain + offset (gain in linear light is about gain^2.2). The network is
trained through exactly this formula.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.bands import Bands, bands_of
from livelight.lighting import Light

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
REACH = 7
"""Pixels of the small grid over which gain and offset are continued past the person."""

_CODED = 1 / 2.2
"""A linear gain g of a picture is the gain g^(1/2.2) of its sRGB code, to 3 levels for g in 0.25..2."""

NOISE_FROM, NOISE_BELOW = 0.16, 0.06
"""Luma [0, 1] between which a camera's picture fades into its noise: hair and dark cloth in a dim room."""
BRIGHTENED = 0.6
"""Gain above 1 at which noise would be seen in full."""
MOST_LIGHT = 4.0
"""How many times its part of a pixel a person's part of the pixel's light is at most."""

_MEAN = np.full((1, 3), 1 / 3 / BRIGHTENED, np.float32)


class Recombiner:
    """Puts the pieces together, on the threads of ``bands``."""

    def __init__(self, bands: Bands) -> None:
        from livelight.tiles import relight_rows  # compiles: before the first frame, and only where it is needed

        self._relight_rows = relight_rows
        self._bands = bands

    def __call__(self, frame: U8, small: U8, gain: F32, offset: F32, matte: F32, alpha: F32, light: Light) -> U8:
        """Relight the person and put them before the room or its replacement.

        frame: uint8 (h, w, 3) sRGB. small: uint8 (n, m, 3), the same on any smaller grid. gain, offset: float32
        (n, m, 3). matte: float32, any small grid, where gain and offset are to be trusted. alpha: float32 (h, w) in
        [0, 1], straight. The light's backdrop is of the frame's size, else ValueError.
        Returns a new uint8 (h, w, 3) sRGB.
        """
        own = light.backdrop is None and light.blur == 0
        behind = light.backdrop if light.backdrop is not None else frame if own else blur_room(frame, alpha, light.blur)
        if not (behind.shape == frame.shape == (*alpha.shape, 3) and gain.shape == offset.shape == small.shape):
            raise ValueError(
                f"expected one size of frame, what is behind and alpha, got {frame.shape}, {behind.shape} and "
                f"{alpha.shape}; and one of gain, offset and picture, got {gain.shape}, {offset.shape}, {small.shape}"
            )
        luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        colours = luma

        def of_colours() -> None:
            nonlocal colours
            colours = room_luma(luma, matte)[..., None] if own else apart(small, matte)

        def of_person() -> None:
            nonlocal gain, offset
            calm = calmed(gain, offset, luma * np.float32(1 / 255))
            gain, offset = effective_change(*calm, matte, light, self._bands)

        self._bands.both(of_person, of_colours)
        frame, behind, out = np.ascontiguousarray(frame), np.ascontiguousarray(behind), np.empty(frame.shape, np.uint8)

        def relight(rows: slice, lane: int) -> None:
            self._relight_rows(frame, behind, own, alpha, gain, offset, colours, rows.start, rows.stop, out)

        self._bands.each(bands_of(*alpha.shape), relight)
        return out


def calmed(gain: F32, offset: F32, luma: F32) -> tuple[F32, F32]:
    """Gain and offset (n, m, 3) that brighten a camera's noise as one grey, the small picture's, not grain by grain.

    luma: float32 (n, m), sRGB-coded, [0, 1]. In black hair that a dim room hardly lights there is nothing but noise and
    the camera's cast; multiplied, both turn into red and blue specks.
    """
    dark = (NOISE_FROM - cv2.blur(luma, (5, 5))) * np.float32(1 / (NOISE_FROM - NOISE_BELOW))
    brighter = cv2.transform(gain, _MEAN) - np.float32(1 / BRIGHTENED)
    share = np.clip(dark, 0, 1) * np.clip(brighter, 0, 1)
    if not share.any():
        return gain, offset
    moved = cv2.multiply(cv2.subtract(gain, (1.0, 1.0, 1.0, 0.0)), cv2.merge([share, share, share]))
    grey = cv2.multiply(moved, cv2.merge([luma, luma, luma]))
    return np.asarray(cv2.subtract(gain, moved)), np.asarray(cv2.add(offset, grey))


def room_luma(luma: F32, matte: F32) -> F32:
    """Luma of what is behind the person, continued under the edge: float32 (n, m) on the scale of ``luma`` (n, m)."""
    return mean_where(1 - cv2.resize(matte, (luma.shape[1], luma.shape[0])), luma)


def apart(small: U8, matte: F32) -> F32:
    """Colours of the person and of what is behind, each continued past the other's edge: float32 (n, m, 6), sRGB-coded
    0..255. small: uint8 (n, m, 3) sRGB. matte: float32 in [0, 1], any small grid.

    After Forte's fast estimation of the foreground (Approximate Fast Foreground Colour Estimation, ICIP 2021), whose
    last step ``livelight.tiles.relight_rows`` takes at full size.
    """
    weight, colours = cv2.resize(matte, (small.shape[1], small.shape[0])), small.astype(np.float32)
    return np.concatenate([mean_where(weight, colours), mean_where(1 - weight, colours)], 2)


def mean_where(weight: F32, picture: F32) -> F32:
    """Mean of a picture (n, m) or (n, m, 3) over the neighbourhood, by the square of weight (n, m) in [0, 1]."""
    seen = weight * weight + np.float32(1e-4)
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    total, by = _blur(seen), cv2.merge([seen] * channels)
    return np.asarray(cv2.divide(_blur(cv2.multiply(picture, by)), cv2.merge([total] * channels)))


def effective_change(gain: F32, offset: F32, matte: F32, light: Light, bands: Bands) -> tuple[F32, F32]:
    """Gain - 1 and offset (0..255), (n, m, 3), with intensity and tone, smoothly continued to where nobody is.

    The continuation keeps the upsampled edge of the person free of what the network says of the room: no halo.
    """
    tone = np.power(light.tone_gain, _CODED)
    gain_by = (*(tone * light.intensity).tolist(), 0.0)
    weight = cv2.resize(matte, (gain.shape[1], gain.shape[0]))
    total = _blur(weight) + np.float32(1e-3)
    weight3, total3 = cv2.merge([weight, weight, weight]), cv2.merge([total, total, total])
    changes: dict[str, F32] = {}

    def continued(name: str, x: F32) -> None:
        near = cv2.divide(_blur(cv2.multiply(x, weight3)), total3)
        x = cv2.subtract(x, near)
        cv2.accumulateProduct(x, weight3, near)
        changes[name] = np.asarray(near)

    def of_gain() -> None:
        continued("gain", cv2.add(cv2.multiply(gain, gain_by), (-light.intensity,) * 3 + (0.0,)))

    def of_offset() -> None:
        continued("offset", cv2.multiply(offset, tuple(255 * g for g in gain_by)))

    bands.both(of_gain, of_offset)
    return changes["gain"], changes["offset"]


def _blur(x: F32) -> F32:
    return np.asarray(cv2.blur(x, (2 * REACH + 1, 2 * REACH + 1)))


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
