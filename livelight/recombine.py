"""The network's small gain and offset, applied to the frame at its full resolution: pores and hair stay.

Everything here is sRGB-coded: relit = frame * gain + offset (gain in linear light is about gain^2.2). The network is
trained through exactly this formula.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.bands import Bands, bands_of
from livelight.box import Box, around, grown, inside, span
from livelight.lighting import Light
from livelight.scratch import Scratch

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
    """Puts the pieces together; keeps its full-resolution pictures from frame to frame."""

    def __init__(self, scratch: Scratch, bands: Bands) -> None:
        self._scratch = scratch
        self._bands = bands

    def __call__(self, frame: U8, small: U8, gain: F32, offset: F32, matte: F32, alpha: F32, light: Light) -> U8:
        """Relight the person and put them before the room or its replacement.

        frame: uint8 (h, w, 3) sRGB. small: uint8 (n, m, 3), the same on any smaller grid. gain, offset: float32
        (n, m, 3). matte: float32, any small grid, where gain and offset are to be trusted. alpha: float32 (h, w) in
        [0, 1], straight.
        Returns a new uint8 (h, w, 3) sRGB.
        """
        own = light.backdrop is None and light.blur == 0
        behind = light.backdrop if light.backdrop is not None else frame if own else blur_room(frame, alpha, light.blur)
        out = behind.copy()
        covers = covered(alpha, self._bands)
        if not covers:
            return out
        full, box = around(covers, alpha.shape, gain.shape)
        luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        parts: dict[str, F32] = {}

        def of_room() -> None:
            parts["room"] = self._at_full_size(room_luma(luma, matte)[box], "room", full)

        def of_person() -> None:
            change = effective_change(*calmed(gain, offset, luma * np.float32(1 / 255)), matte, light, box, self._bands)
            parts["gain"], parts["offset"] = (
                self._at_full_size(part, name, full) for part, name in zip(change, ("gain", "offset"), strict=True)
            )

        if own:
            self._bands.both(of_person, of_room)
        else:
            of_person()

        def change(cover: Box, lane: int) -> None:
            part = inside(cover, full)
            if own:
                weight = self._three(self._light_share(frame[cover], alpha[cover], parts["room"][part], lane), lane)
                self._relit(frame[cover], parts["gain"][part], parts["offset"][part], weight, out[cover], lane)
                return
            relit = np.empty_like(frame[cover])
            self._relit(frame[cover], parts["gain"][part], parts["offset"][part], None, relit, lane)
            rest = cv2.subtract(1.0, alpha[cover], dst=self._scratch.picture(f"rest {lane}", alpha[cover].shape))
            cv2.blendLinear(relit, behind[cover], alpha[cover], rest, dst=out[cover])

        self._bands.each(covers, change)
        return out

    def _at_full_size(self, part: F32, name: str, full: Box) -> F32:
        size = (full[1].stop - full[1].start, full[0].stop - full[0].start)
        return np.asarray(cv2.resize(part, size, dst=self._scratch.picture(name, (size[1], size[0], *part.shape[2:]))))

    def _light_share(self, frame: U8, alpha: F32, room: F32, lane: int) -> F32:
        """How much of each pixel's light comes from the person (h, w): 1 - (1 - alpha) room / luma, in [0, 4 alpha].

        A pixel that a dark sleeve shares with a white wall holds hardly any of the sleeve's light: to relight it by its
        alpha would stain the wall. room: luma behind the person, 0..255.
        """
        luma = self._scratch.picture(f"luma {lane}", alpha.shape)
        np.copyto(luma, cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
        share = cv2.subtract(1.0, alpha, dst=self._scratch.picture(f"share {lane}", alpha.shape))
        cv2.multiply(share, room, dst=share)
        cv2.divide(share, cv2.max(luma, 1.0, dst=luma), dst=share)
        cv2.subtract(1.0, share, dst=share)
        cv2.threshold(share, 0.0, 0.0, cv2.THRESH_TOZERO, dst=share)
        return np.asarray(cv2.min(share, cv2.multiply(alpha, MOST_LIGHT, dst=luma), dst=share))

    def _three(self, alpha: F32, lane: int) -> F32:
        return np.asarray(cv2.merge([alpha] * 3, dst=self._scratch.picture(f"alpha {lane}", (*alpha.shape, 3))))

    def _relit(self, frame: U8, gain: F32, offset: F32, weight: F32 | None, out: U8, lane: int) -> None:
        """out = frame + weight (frame * gain + offset), rounded and clipped; no weight is 1.

        All (h, w, 3); gain, offset: float32, 0..255 scale; offset is overwritten.
        """
        # OpenCV is four times faster on float pictures than on mixed ones, so the frame is converted first.
        source = self._scratch.picture(f"source {lane}", frame.shape)
        np.copyto(source, frame)
        cv2.accumulateProduct(gain, source, offset)
        if weight is None:
            cv2.accumulate(offset, source)
        else:
            cv2.accumulateProduct(offset, weight, source)
        cv2.threshold(source, 0.0, 0.0, cv2.THRESH_TOZERO, dst=source)  # convertScaleAbs would mirror what is below 0
        cv2.convertScaleAbs(source, dst=out)


def covered(alpha: F32, bands: Bands) -> list[Box]:
    """Boxes, one above the other, that together hold every pixel of alpha (h, w) above 0."""
    found: list[Box] = []

    def look(rows: slice, lane: int) -> None:
        columns = span(cv2.reduce(alpha[rows], 0, cv2.REDUCE_MAX).ravel())
        if columns is not None:
            found.append((rows, columns))

    bands.each(bands_of(*alpha.shape), look)
    return found


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
    seen = (1 - cv2.resize(matte, (luma.shape[1], luma.shape[0]))) ** 2 + np.float32(1e-4)
    return np.asarray(_blur(luma * seen) / _blur(seen))


def effective_change(gain: F32, offset: F32, matte: F32, light: Light, where: Box, bands: Bands) -> tuple[F32, F32]:
    """Gain - 1 and offset (0..255) with intensity and tone, smoothly continued to where nobody is; both cut to a box.

    The continuation keeps the upsampled edge of the person free of what the network says of the room: no halo.
    """
    shape = gain.shape
    # What is computed: the box, and around it what the blur sees.
    wide = grown(where, REACH, shape)
    tone = np.power(light.tone_gain, _CODED)
    gain_by = (*(tone * light.intensity).tolist(), 0.0)
    weight = cv2.resize(matte, (shape[1], shape[0]))[wide]
    total = _blur(weight) + np.float32(1e-3)
    weight3, total3 = cv2.merge([weight, weight, weight]), cv2.merge([total, total, total])
    changes: dict[str, F32] = {}

    def continued(name: str, x: F32) -> None:
        near = cv2.divide(_blur(cv2.multiply(x, weight3)), total3)
        x = cv2.subtract(x, near)
        cv2.accumulateProduct(x, weight3, near)
        changes[name] = np.asarray(near[inside(where, wide)])

    def of_gain() -> None:
        continued("gain", cv2.add(cv2.multiply(gain[wide], gain_by), (-light.intensity,) * 3 + (0.0,)))

    def of_offset() -> None:
        continued("offset", cv2.multiply(offset[wide], tuple(255 * g for g in gain_by)))

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
