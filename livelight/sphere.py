"""The sphere of directions around the person, as a lat-long map: directions, solid angles, turning.

Camera frame: right-handed, +x image right, +y up, +z from the person to the camera. For u, v in [0, 1) of a lat-long
map: direction = (sin(pi v) sin p, cos(pi v), -sin(pi v) cos p), p = 2 pi (u - 0.5). So the centre column is what the
camera sees behind the person, columns to the right of it lie at +x, row 0 is up, and light that comes from the
camera's side stands at the left and right edges of the map.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

TOWARDS_CAMERA = np.array([0.0, 0.0, 1.0], np.float32)
"""The normal of a card that faces the camera."""

_CHANNELS = 4
"""At most so many does OpenCV average at once where a block is no whole number of texels."""


@lru_cache(maxsize=16)
def directions(rows: int, columns: int) -> F32:
    """Unit directions of the texel centres of a lat-long map: float32 (rows, columns, 3). Shared: do not write."""
    theta = np.pi * (np.arange(rows) + 0.5) / rows
    p = 2 * np.pi * ((np.arange(columns) + 0.5) / columns - 0.5)
    sin_theta = np.sin(theta)[:, None]
    y = np.broadcast_to(np.cos(theta)[:, None], (rows, columns))
    return np.stack([sin_theta * np.sin(p), y, -sin_theta * np.cos(p)], axis=-1).astype(np.float32)


@lru_cache(maxsize=64)
def solid_angles(rows: int, columns: int) -> F64:
    """Exact solid angle, steradian, of one texel of each row: float64 (rows,). Times columns they sum to 4 pi."""
    edges = np.cos(np.pi * np.arange(rows + 1) / rows)
    return np.asarray((edges[:-1] - edges[1:]) * (2 * np.pi / columns), np.float64)


def texel_of(direction: F32, rows: int, columns: int) -> tuple[F32, F32]:
    """Where directions fall on a map: float column in [-0.5, columns - 0.5] and row in [-0.5, rows - 0.5].

    direction: float32 (..., 3), of any length above 0. Texel centres stand at whole numbers.
    """
    flat = np.ascontiguousarray(direction, np.float32).reshape(-1, 3)
    x, y, z = (np.ascontiguousarray(flat[:, i]) for i in range(3))
    p = np.arctan2(x, -z)
    theta = np.arctan2(np.hypot(x, z), y)
    column = p * np.float32(columns / (2 * np.pi)) + np.float32(columns / 2 - 0.5)
    row = theta * np.float32(rows / np.pi) - np.float32(0.5)
    shape = direction.shape[:-1]
    return np.reshape(column, shape), np.reshape(row, shape)


def turn(rotate_deg: float, pitch_deg: float) -> F32:
    """The matrix float32 (3, 3) that carries the panorama's own directions to those of the turned panorama.

    First rotate_deg about the vertical: positive moves what stands behind the person to the right in the picture.
    Then pitch_deg about the image's horizontal axis: positive raises what stands behind the person (and so lowers
    what stands behind the camera, as with a real tilt).
    """
    a, b = np.deg2rad(rotate_deg), np.deg2rad(pitch_deg)
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return np.asarray(about_x @ about_y, np.float32)


def reduced(image: F32, rows: int) -> F32:
    """A lat-long map shrunk to (rows, 2 rows, channels) so that the energy of every block of texels is kept.

    image: float32 (h, 2h, channels), h >= rows; returned unchanged when it has ``rows`` rows already.
    """
    height, width = image.shape[:2]
    if height == rows:
        return image
    energy = image * solid_angles(height, width)[:, None, None].astype(np.float32)
    parts = np.split(energy, range(_CHANNELS, energy.shape[2], _CHANNELS), axis=2)
    means = [cv2.resize(part, (2 * rows, rows), interpolation=cv2.INTER_AREA) for part in parts]
    summed = np.concatenate([mean.reshape(rows, 2 * rows, -1) for mean in means], axis=2)
    summed *= height * width / (2 * rows * rows)
    return np.asarray(summed / solid_angles(rows, 2 * rows)[:, None, None], np.float32)


def padded(image: F32) -> F32:
    """A lat-long map with one texel more on each side, so that bilinear samples are seamless: (h + 2, 2h + 2, c)."""
    height, width, channels = image.shape
    result = np.empty((height + 2, width + 2, channels), np.float32)
    result[1:-1, 1:-1] = image
    result[0, 1:-1] = np.roll(image[0], width // 2, axis=0)
    result[-1, 1:-1] = np.roll(image[-1], width // 2, axis=0)
    result[:, 0], result[:, -1] = result[:, -2], result[:, 1]
    return result


def sampled(padded_image: F32, direction: F32) -> F32:
    """Bilinear samples float32 (n, m, channels) of a ``padded`` lat-long map at directions (n, m, 3)."""
    return sampled_at(padded_image, *texel_of(direction, padded_image.shape[0] - 2, padded_image.shape[1] - 2))


def sampled_at(padded_image: F32, column: F32, row: F32) -> F32:
    """``sampled`` where ``texel_of`` says: column and row float32 (n, m)."""
    found = cv2.remap(padded_image, column + 1, row + 1, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)
