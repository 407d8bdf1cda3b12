"""Things that stand in rooms: sofas, cushions, plants, boxes, curtains; sharp and with a cloth's patterns, as clothes.

Panoramas are soft where a camera sees a small part of them. A network that has only seen people before soft rooms takes
whatever is sharp for a person.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from training.patterns import surface_print

F32 = NDArray[np.float32]

MOST = 9
"""Things laid into one room."""


class Clutter(NamedTuple):
    """paint (h, w, 3) float32, linear reflectance with its shading, 0 to 1.5, times cover (h, w, 1) float32, [0, 1]."""

    paint: F32
    cover: F32


def draw_clutter(rng: np.random.Generator, shape: tuple[int, int]) -> Clutter:
    """Random things for a room of ``shape`` (h, w), pixels."""
    h, w = shape
    paint, cover = np.zeros((h, w, 3), np.float32), np.zeros((h, w, 1), np.float32)
    for _ in range(int(rng.integers(1, MOST + 1))):
        form = (_cushion, _block, _plant, _curtain)[rng.choice(4, p=[0.3, 0.35, 0.25, 0.1])]
        mask = form(rng, h, w)[..., None].astype(np.float32) / 255
        look = _surface(rng, max(h, w), leaves=form is _plant)[:h, :w]
        paint, cover = paint + mask * (look - paint), cover + mask * (1 - cover)
    if rng.random() < 0.5:
        blur_px = float(rng.uniform(0.3, 1.5)) * w / 256
        paint, cover = (cv2.GaussianBlur(layer, (0, 0), blur_px) for layer in (paint, cover))
        cover = cover[..., None]
    return Clutter(paint.astype(np.float32), cover)


def level_of(rooms: F32, free: NDArray[np.bool_] | None = None) -> float:
    """How bright a white thing is in a room of these pictures (..., h, w, 3), linear; free: where no person is."""
    seen = rooms.mean(-1) if free is None else rooms.mean(-1)[free]
    return 2 * (float(np.median(seen)) + 0.02) if seen.size else 1.0


def laid(room: F32, clutter: Clutter, level: float) -> F32:
    """``room`` (..., h, w, 3) float32, linear, with the things before it, lit as ``level_of`` says."""
    return np.asarray(room * (1 - clutter.cover) + np.float32(level) * clutter.paint, np.float32)


def _surface(rng: np.random.Generator, side: int, leaves: bool) -> F32:
    """(side, side, 3) linear reflectance: paint or cloth, at times with a pattern, shaded from one side."""
    colour = np.exp(rng.normal(-1.5, 0.8)) * np.exp(rng.normal(0, rng.choice([0.1, 0.4]), 3))
    if leaves:
        colour = np.exp(rng.normal(-2.2, 0.5)) * np.array([0.7, 1.3, 0.5]) * np.exp(rng.normal(0, 0.2, 3))
    slope = rng.normal(0, 0.9, 2)
    x = np.linspace(-0.5, 0.5, side, dtype=np.float32)
    shade = np.exp(slope[0] * x[None] + slope[1] * x[:, None])[..., None]
    weave = np.exp(rng.normal(0, rng.uniform(0, 0.12), (side, side, 1)))
    ink = surface_print(rng, side) if rng.random() < 0.4 else 1.0
    return np.clip(np.clip(colour, 0.01, 0.85) * shade * weave * ink, 0.003, 1.5).astype(np.float32)


def _cushion(rng: np.random.Generator, h: int, w: int) -> NDArray[np.uint8]:
    """A rounded thing: a superellipse, turned."""
    angle = np.linspace(0, 2 * np.pi, 48)
    power, turn = rng.uniform(0.3, 1.0), rng.uniform(0, np.pi)
    x, y = (np.sign(f(angle)) * np.abs(f(angle)) ** power for f in (np.cos, np.sin))
    x, y = x * w * rng.uniform(0.04, 0.3), y * h * rng.uniform(0.04, 0.3)
    cx, cy = rng.uniform(0, w), rng.uniform(0.2, 1.1) * h
    points = np.stack([cx + x * np.cos(turn) - y * np.sin(turn), cy + x * np.sin(turn) + y * np.cos(turn)], -1)
    return _filled(points[None], h, w)


def _block(rng: np.random.Generator, h: int, w: int) -> NDArray[np.uint8]:
    """A box, a frame, a screen or the back of a sofa: a leaning quadrangle, most often low in the picture."""
    width, height = w * rng.uniform(0.05, 0.6), h * rng.uniform(0.05, 0.6)
    x, y = rng.uniform(-0.1, 1) * w, h * (rng.uniform(0.4, 1.1) if rng.random() < 0.6 else rng.uniform(-0.1, 0.6))
    corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    return _filled((corners + rng.normal(0, 0.03 * min(h, w), (4, 2)))[None], h, w)


def _plant(rng: np.random.Generator, h: int, w: int) -> NDArray[np.uint8]:
    """Leaves about a stem: long, thin diamonds."""
    count = int(rng.integers(8, 50))
    root, reach = rng.uniform(0, 1, 2) * [w, h], rng.uniform(0.1, 0.35) * min(h, w)
    turn = rng.uniform(0, 2 * np.pi, count)
    along = np.stack([np.cos(turn), np.sin(turn)], -1)
    across = along[:, ::-1] * [-1, 1] * rng.uniform(0.05, 0.3)
    size = reach * rng.uniform(0.2, 0.7, (count, 1))
    foot = root + along * reach * rng.uniform(0, 0.8, (count, 1))
    leaves = [foot, foot + size * (0.5 * along + across), foot + size * along, foot + size * (0.5 * along - across)]
    return _filled(np.stack(leaves, 1), h, w)


def _curtain(rng: np.random.Generator, h: int, w: int) -> NDArray[np.uint8]:
    """A strip from top to bottom, a door or a curtain."""
    x, width = rng.uniform(-0.1, 1) * w, rng.uniform(0.05, 0.3) * w
    lean = rng.normal(0, 0.02 * w)
    return _filled(np.array([[(x, -2), (x + width, -2), (x + width + lean, h + 2), (x + lean, h + 2)]]), h, w)


def _filled(polygons: NDArray[np.float64], h: int, w: int) -> NDArray[np.uint8]:
    """(h, w), 255 inside the polygons (n, corners, 2), x before y, with soft edges."""
    mask = np.zeros((h, w), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [np.rint(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask
