"""Light from an ordinary picture of a place: a guess at the whole sphere from what stands behind the person.

The picture shows only what the camera sees; the light that falls on the face comes mostly from where it does not
look. The guess (no network, a few remaps):
1. The pixels become scene light by livelight.highlights: clipped windows count eight times white.
2. Behind the person, inside the camera's field of view, the picture stands where the camera sees it, and its edges
   are drawn on outwards.
3. Everywhere else, a small blurred copy is stretched over the half sphere behind the person (left edge at the far
   left, top row at the zenith), and mirrored to the half sphere before the person: a room with a window on the
   picture's left is taken to be bright on that side in front as well. Between the two, over BLEND_DEG degrees, one
   fades into the other.
So the light comes from the side, and the height, where the picture is bright.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight import sphere
from livelight.highlights import expanded
from livelight.sphere import F32

ROWS = 64
"""Rows of the estimated panorama."""

BLEND_DEG = 40.0
"""Width of the border around the field of view in which the picture's edge fades into the stretched copy."""

FLOOR = 0.005
"""Radiance added everywhere, so that a black picture gives faint even light and not none."""

SMOOTHING_S = 0.3
"""Time constant with which the estimate follows a video (livelight.light_program)."""


def estimated_panorama(picture: NDArray[np.uint8], fov_deg: float) -> F32:
    """Panorama float32 (64, 128, 3), linear, white of the picture = 1, from a uint8 (h, w, 3) sRGB picture.

    fov_deg: horizontal field of view, degrees, at which the picture stands behind the person.
    """
    height, width = picture.shape[:2]
    small = (min(width, 256), max(1, round(min(width, 256) * height / width)))
    light = expanded(cv2.resize(picture, small, interpolation=cv2.INTER_AREA))
    seen_width = max(2, min(small[0], round(2 * ROWS * fov_deg / 360 * 1.5)))
    seen_size = (seen_width, max(2, min(small[1], round(seen_width * height / width))))
    seen = cv2.resize(light, seen_size, interpolation=cv2.INTER_AREA)
    stretched = cv2.GaussianBlur(cv2.resize(light, (32, 16), interpolation=cv2.INTER_AREA), (0, 0), 2.0)
    behind_xy, around_xy, behind_part = _maps(fov_deg, height / width)
    behind, around = _looked_up(seen, behind_xy), _looked_up(stretched, around_xy)
    return np.asarray(around + (behind - around) * behind_part + FLOOR, np.float32)


def _looked_up(picture: F32, xy: F32) -> F32:
    """Bilinear samples at xy in [-1, 1] (x right, y up); outside, the edge goes on."""
    height, width = picture.shape[:2]
    column = (xy[:, :, 0] + 1) * np.float32(width / 2) - np.float32(0.5)
    row = (1 - xy[:, :, 1]) * np.float32(height / 2) - np.float32(0.5)
    found = cv2.remap(picture, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


@lru_cache(maxsize=8)
def _maps(fov_deg: float, aspect: float) -> tuple[F32, F32, F32]:
    """For each texel: place in the picture as the camera sees it, place in the stretched copy, part of the first."""
    x, y, z = np.moveaxis(sphere.directions(ROWS, 2 * ROWS).astype(np.float64), 2, 0)
    half = np.tan(np.deg2rad(fov_deg) / 2)
    depth = np.maximum(-z, 1e-3)
    seen_x, seen_y = x / depth / half, y / depth / (half * aspect)
    inside = np.stack([np.clip(seen_x, -1, 1) * half, np.clip(seen_y, -1, 1) * half * aspect, -np.ones_like(x)], -1)
    inside /= np.linalg.norm(inside, axis=-1, keepdims=True)
    beyond_deg = np.rad2deg(np.arccos(np.clip(inside[..., 0] * x + inside[..., 1] * y + inside[..., 2] * z, -1, 1)))
    part = np.clip(1 - beyond_deg / BLEND_DEG, 0, 1) * (z < 0)
    part = part * part * (3 - 2 * part)
    behind_xy = np.clip(np.stack([seen_x, seen_y], axis=-1), -2, 2).astype(np.float32)
    around_xy = (np.arcsin(np.clip(np.stack([x, y], axis=-1), -1, 1)) / (np.pi / 2)).astype(np.float32)
    return behind_xy, around_xy, part[:, :, None].astype(np.float32)
