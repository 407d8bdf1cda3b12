"""The network's description of light: 16 x 16 cells of mean radiance on the sphere, lat-long (as NVPR, ICCV 2021).

Each texel of the panorama shares its energy among the four nearest cells by its distance to their centres (a tent),
not only with the one cell it lies in. So when the light turns, the energy glides from cell to cell and its mean
direction follows the angle; with plain cells a sun would stand still for 22 degrees and then jump.
Weights are balanced so that two things hold at once: no energy is lost (the sum of code x solid angle is that of the
panorama), and light that is the same from everywhere gives a code that is the same everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from livelight import sphere
from livelight.sphere import F32, F64

CODE_ROWS = 16
CODE_COLUMNS = 16


def cell_solid_angles() -> F32:
    """Solid angle of each cell, steradian: float32 (16, 16); they sum to 4 pi."""
    rows = sphere.solid_angles(CODE_ROWS, CODE_COLUMNS)
    return np.repeat(rows[:, None], CODE_COLUMNS, axis=1).astype(np.float32)


def light_code(radiance: F32, turn: F32) -> F32:
    """Code float32 (16, 16, 3) of a lat-long map float32 (h, 2h, 3) turned by the matrix float32 (3, 3).

    Both linear radiance of the same unit. Energy is kept to float32 accuracy at any angle.
    """
    rows, columns = radiance.shape[:2]
    solid_angle = sphere.solid_angles(rows, columns)[:, None, None]
    energy = radiance * solid_angle
    if np.allclose(turn, np.eye(3)):
        return _gathered(energy).astype(np.float32)
    even = np.broadcast_to(solid_angle, (rows, columns, 1))
    code, even_code = np.split(_gathered(_splatted(np.concatenate([energy, even], axis=2), turn)), [3], axis=2)
    levelled = code / even_code  # in the pole rows, cells are hardly larger than texels: undo the uneven splat
    return np.asarray(levelled * (code.sum(axis=1) / np.maximum(levelled.sum(axis=1), 1e-30))[:, None], np.float32)


def _gathered(energy: F64) -> F64:
    """Mean radiance of each cell, (16, 16, c), from the energy of each texel, (h, 2h, c)."""
    by_column = np.tensordot(_column_weights(energy.shape[1]), energy, axes=(1, 1))
    summed = np.tensordot(_row_weights(energy.shape[0]), by_column, axes=(1, 1))
    return np.asarray(summed / sphere.solid_angles(CODE_ROWS, CODE_COLUMNS)[:, None, None], np.float64)


def _splatted(energy: F64, turn: F32) -> F64:
    """Energy of each texel (h, 2h, c) carried to its turned place and shared among the four texels nearest to it."""
    rows, columns = energy.shape[:2]
    column, row = sphere.texel_of(cv2.transform(sphere.directions(rows, columns), turn), rows, columns)
    row = np.clip(row, 0, rows - 1)
    left, top = np.floor(column).astype(np.int64), np.minimum(np.floor(row), rows - 2).astype(np.int64)
    right_part, lower_part = column - left, row - top
    channels = energy.shape[2]
    result = np.zeros((channels, rows * columns))
    for step_row, row_part in ((0, 1 - lower_part), (1, lower_part)):
        for step_column, column_part in ((0, 1 - right_part), (1, right_part)):
            texel = ((top + step_row) * columns + (left + step_column) % columns).ravel()
            part = row_part * column_part
            for channel in range(channels):
                weights = (energy[:, :, channel] * part).ravel()
                result[channel] += np.bincount(texel, weights=weights, minlength=rows * columns)
    return result.reshape(channels, rows, columns).transpose(1, 2, 0)


@lru_cache(maxsize=8)
def _column_weights(columns: int) -> F64:
    """Part of each map column that goes to each code column: (16, columns); every column's parts sum to 1."""
    x = (np.arange(columns) + 0.5) / columns * CODE_COLUMNS
    distance = np.abs(x[None, :] - (np.arange(CODE_COLUMNS) + 0.5)[:, None])
    tent = np.maximum(0, 1 - np.minimum(distance, CODE_COLUMNS - distance))
    return _balanced(tent, np.full(columns, 1 / columns), np.full(CODE_COLUMNS, 1 / CODE_COLUMNS))


@lru_cache(maxsize=8)
def _row_weights(rows: int) -> F64:
    """Part of each map row that goes to each code row: (16, rows); every row's parts sum to 1."""
    y = np.clip((np.arange(rows) + 0.5) / rows * CODE_ROWS, 0.5, CODE_ROWS - 0.5)
    tent = np.maximum(0, 1 - np.abs(y[None, :] - (np.arange(CODE_ROWS) + 0.5)[:, None]))
    return _balanced(tent, sphere.solid_angles(rows, 1), sphere.solid_angles(CODE_ROWS, 1))


def _balanced(tent: F64, given: F64, wanted: F64) -> F64:
    """Scale rows and columns of a weight matrix in turn (Sinkhorn) until tent @ given = wanted and columns sum to 1."""
    for _ in range(200):
        tent = tent * (wanted / (tent @ given))[:, None]
        tent = tent / tent.sum(axis=0)
    return tent
