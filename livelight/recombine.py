"""The network's small gain and offset, applied to the frame at its full resolution: pores and hair stay.

Everything here is sRGB-coded: relit = frame * gain + offset (gain in linear light is about gain^2.2). The network is
trained through exactly this formula. At the person's edge they are what they are inside: smoothly continued to where
nobody is, so that the edge is free of what the network says of the room: no halo.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.bands import Ahead, Bands, bands_of
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


@dataclass(frozen=True, slots=True)
class Ground:
    """What recombination needs of a frame but the network's answer. Its arrays hold until the next ``prepare``.

    out: uint8 (h, w, 3), new, what is behind the person. part: float32 (h, w), of each pixel's light the person's share
    before their own room (livelight.tiles.light_rows), else alpha. marks: uint8 (h, tiles), where there is any. ahead:
    what has these three, and alpha, ready band by band.
    colours: of person and old room (``apart``), each (n, 3 m), None before their own room.
    On the small grid, float32 (n, m): luma in [0, 1]; dark in [0, 1], how much of a place may be noise; and, thrice:
    weight in [0, 1], the person; per, one over the sum of the weights about a place.
    """

    frame: U8
    out: U8
    part: F32
    marks: U8
    ahead: Ahead
    colours: tuple[F32, F32] | None
    luma: F32
    dark: F32
    weight: F32
    per: F32


class Recombiner:
    """Puts the pieces together: ``prepare`` while the network still runs, ``finish`` on the threads of ``bands``."""

    def __init__(self, bands: Bands) -> None:
        from livelight import maps, tiles  # compile: before the first frame, and only where they are needed

        self._maps, self._tiles = maps, tiles
        self._bands = bands
        self._part = np.empty((0, 0), np.float32)
        self._marks = np.empty((0, 0), np.uint8)

    def prepare(
        self, frame: U8, small: U8, matte: F32, alpha: F32, light: Light,
        write: Callable[[slice], None], hurry: threading.Event,
    ) -> Ground:  # fmt: skip
        """All that does not depend on the network. One thread; what is left of it when hurried is left to ``finish``.

        frame: uint8 (h, w, 3) sRGB. small: uint8 (n, m, 3), the same on any smaller grid. matte: float32, any small
        grid, where gain and offset are to be trusted. alpha: float32 (h, w), which ``write`` fills rows of, in [0, 1],
        straight. The light's backdrop is of the frame's size, else ValueError.
        """
        behind = frame if light.backdrop is None else light.backdrop
        if light.backdrop is None and light.blur > 0:
            for rows in bands_of(*alpha.shape):
                write(rows)
            behind, write = blur_room(frame, alpha, light.blur), _nothing
        if not behind.shape == frame.shape == (*alpha.shape, 3):
            raise ValueError(
                "expected one size of frame, what is behind and alpha, got "
                f"{frame.shape}, {behind.shape} and {alpha.shape}"
            )
        own, frame, out = behind is frame, np.ascontiguousarray(frame), np.empty(frame.shape, np.uint8)
        luma = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)
        ready = self._readier(frame, alpha, room_luma(luma, matte) if own else None)

        def work(rows: slice) -> None:
            out[rows] = behind[rows]
            write(rows)
            ready(rows)

        luma *= np.float32(1 / 255)
        weight = np.asarray(cv2.resize(matte, (small.shape[1], small.shape[0])))
        about = (_blur(weight) + np.float32(1e-3)) * np.float32((2 * REACH + 1) ** 2)
        ahead = Ahead(bands_of(*alpha.shape), work, hurry)
        colours = None if own else apart(small, matte)
        part, per = self._part if own else alpha, thrice(cv2.divide(1.0, about))
        ground = Ground(frame, out, part, self._marks, ahead, colours, luma, noisy(luma), thrice(weight), per)
        ahead.run()
        return ground

    def _readier(self, frame: U8, alpha: F32, room: F32 | None) -> Callable[[slice], None]:
        """What makes rows of ``_part`` (before their own room, whose luma is given) and of ``_marks``."""
        if self._part.shape != alpha.shape:  # once: page faults would cost more than all its sums
            self._part = np.empty(alpha.shape, np.float32)
            self._marks = np.empty((alpha.shape[0], self._tiles.tiles_across(alpha.shape[1])), np.uint8)
        tiles, part, marks = self._tiles, self._part, self._marks
        if room is None:
            return lambda rows: tiles.mark_rows(alpha, rows.start, rows.stop, marks)
        return lambda rows: tiles.light_rows(frame, alpha, room, rows.start, rows.stop, part, marks)

    def finish(self, ground: Ground, gain: F32, offset: F32, light: Light) -> U8:
        """Relight the person and put them before the room or its replacement.

        gain, offset: float32 (n, m, 3), of the small grid, else ValueError. light: that of ``prepare``, but for its
        tone. Returns ground.out: a new uint8 (h, w, 3) sRGB. Once only for each ground.
        """
        if not gain.shape == offset.shape == (*ground.luma.shape, 3):
            raise ValueError(
                f"expected gain and offset on the grid {ground.luma.shape}, got {gain.shape} and {offset.shape}"
            )
        by = np.power(light.tone_gain, _CODED) * light.intensity
        by = np.tile(np.asarray(by, np.float32), ground.luma.shape[1])
        calm = ground.dark, ground.weight, ground.per, by
        changes = np.empty_like(ground.weight), np.empty_like(ground.weight)
        gain, offset = flat(gain), flat(offset)
        self._bands.both(
            lambda: self._maps.gain_change(gain, *calm, light.intensity, changes[0]),
            lambda: self._maps.offset_change(offset, gain, ground.luma, *calm, changes[1]),
        )

        def relight(band: int, lane: int) -> None:
            rows = ground.ahead.need(band)
            given = ground.frame, ground.part, ground.marks, *changes
            if ground.colours is None:
                self._tiles.relight_rows(*given, rows.start, rows.stop, ground.out)
            else:
                self._tiles.relight_before_rows(*given, *ground.colours, rows.start, rows.stop, ground.out)

        self._bands.each(range(len(bands_of(*ground.part.shape))), relight)
        return ground.out


def flat(maps: F32) -> F32:
    """(n, m, 3) -> (n, 3 m), contiguous, as livelight.maps takes it."""
    return np.ascontiguousarray(maps).reshape(len(maps), -1)


def thrice(x: F32) -> F32:
    """(n, m) -> (n, 3 m): each value for three colours."""
    return flat(np.asarray(cv2.merge([x, x, x]), np.float32))


def _nothing(rows: slice) -> None:
    """For rows that are written already."""


def noisy(luma: F32) -> F32:
    """How much of a place may be noise, float32 (n, m) in [0, 1]. luma: float32 (n, m), sRGB-coded, [0, 1].

    In black hair that a dim room hardly lights there is nothing but noise and the camera's cast; multiplied, both turn
    into red and blue specks. Where the gain is high, livelight.maps brightens such places as one grey, the small
    picture's, not grain by grain.
    """
    dark = (NOISE_FROM - cv2.blur(luma, (5, 5))) * np.float32(1 / (NOISE_FROM - NOISE_BELOW))
    return np.asarray(np.clip(dark, 0, 1), np.float32)


def room_luma(luma: F32, matte: F32) -> F32:
    """Luma of what is behind the person, continued under the edge: float32 (n, m) on the scale of ``luma`` (n, m)."""
    return mean_where(1 - cv2.resize(matte, (luma.shape[1], luma.shape[0])), luma)


def apart(small: U8, matte: F32) -> tuple[F32, F32]:
    """Colours of the person and of what is behind, each continued past the other's edge: float32 (n, 3 m), sRGB-coded
    0..255. small: uint8 (n, m, 3) sRGB. matte: float32 in [0, 1], any small grid.

    After Forte's fast estimation of the foreground (Approximate Fast Foreground Colour Estimation, ICIP 2021), whose
    last step ``livelight.tiles.relight_before_rows`` takes at full size.
    """
    weight, colours = cv2.resize(matte, (small.shape[1], small.shape[0])), small.astype(np.float32)
    return flat(mean_where(weight, colours)), flat(mean_where(1 - weight, colours))


def mean_where(weight: F32, picture: F32) -> F32:
    """Mean of a picture (n, m) or (n, m, 3) over the neighbourhood, by the square of weight (n, m) in [0, 1]."""
    seen = weight * weight + np.float32(1e-4)
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    total, by = _blur(seen), cv2.merge([seen] * channels)
    return np.asarray(cv2.divide(_blur(cv2.multiply(picture, by)), cv2.merge([total] * channels)))


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
