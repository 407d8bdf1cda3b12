"""The soft logarithm in which our own diffusion model speaks of pictures, in numpy; torch's is diffusion_network."""

from __future__ import annotations

import cv2
import numpy as np

from offline.denoiser import F32

SOFT = 0.1
"""Added to sRGB-coded values before the logarithm: where it is black, light adds; where it is bright, it multiplies."""
SPREAD = 0.15
"""Logarithms are measured in this unit, so that what is to be denoised has a deviation of about one."""

BRIGHT = 0.7
"""sRGB-coded value of a picture from which on less and less of what would brighten it is done, and at white nothing."""


def level(picture: F32) -> F32:
    """Soft logarithm (3, h/2, w/2) of a picture float32 (h, w, 3), sRGB-coded in [0, 1]; h and w even."""
    h, w = picture.shape[:2]
    half = cv2.resize(picture, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.log(half + np.float32(SOFT)).transpose(2, 0, 1) / np.float32(SPREAD))


def brought_to(image: F32, gain: F32, offset: F32, wanted: F32) -> tuple[F32, F32]:
    """Gain and offset, changed so that the relit picture has the level ``wanted``.

    image: float32 (h, w, 3), sRGB-coded in [0, 1]. gain, offset: float32 (h, w, 3), relit = image * gain + offset.
    wanted: float32 (3, h/2, w/2), as of ``level``. Detail finer than that stays. Near white nothing gets brighter:
    see ``shouldered``.
    """
    h, w = image.shape[:2]
    base = level(np.clip(image * gain + offset, 0, 1))
    change = shouldered(wanted - base, base).transpose(1, 2, 0)
    full = cv2.resize(np.ascontiguousarray(change), (w, h), interpolation=cv2.INTER_LINEAR)
    factor = np.exp(np.float32(SPREAD) * full)
    return gain * factor, (offset + np.float32(SOFT)) * factor - np.float32(SOFT)


def shouldered(change: F32, base: F32) -> F32:
    """A change of level ``base``, both float32 (3, h, w), without what would burn out: near white it may only darken.

    The brightest colour decides for all three, so that a highlight keeps its hue. A guess at a person's exposure is
    wrong by some part; in the middle tones that is hardly seen, and on a bright cheek it is a white patch.
    """
    brightest = np.exp(base.max(0, keepdims=True) * np.float32(SPREAD)) - np.float32(SOFT)
    room = np.clip((1 - brightest) / np.float32(1 - BRIGHT), 0, 1)
    return np.where(change > 0, change * room, change)
