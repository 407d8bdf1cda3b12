"""A rig drawn as a panorama: every lamp at its place, in its apparent size, with the light it sends to the face."""

from __future__ import annotations

import cv2
import numpy as np

from livelight import sphere
from livelight.blackbody import blackbody
from livelight.color import LUMA, srgb8_to_linear
from livelight.rig import RECTANGULAR, Coloured, Lamp, Rig, Sphere
from livelight.sphere import F32, F64

ROWS = 128
"""Rows of a rendered rig."""

SAMPLES = 4
"""Samples across each texel (so 4 x 4), that edges and suns come out soft and whole."""

SUN_DEG = 0.53
"""Apparent diameter of sun and moon, degrees."""


def rendered(rig: Rig) -> F32:
    """Panorama float32 (128, 256, 3), linear; a surface that faces a lamp of ratio 1 receives irradiance pi from it.

    So a white card facing the key light comes out at 1 before any exposure is applied.
    """
    direction = sphere.directions(ROWS * SAMPLES, 2 * ROWS * SAMPLES)
    weight = sphere.solid_angles(ROWS * SAMPLES, 2 * ROWS * SAMPLES)[:, None]
    panorama = np.zeros((ROWS, 2 * ROWS, 3), np.float32)
    for fill in rig.fill:
        level = _around(fill, sphere.directions(ROWS, 2 * ROWS))
        received = np.maximum(sphere.directions(ROWS, 2 * ROWS)[:, :, 2], 0) * level
        total = float((received * sphere.solid_angles(ROWS, 2 * ROWS)[:, None]).sum())
        panorama += (level * (np.pi * fill.ratio / total))[:, :, None] * _tint(fill, rig.white_kelvin)
    for lamp in rig.light:
        towards = towards_lamp(lamp)
        cosine = np.maximum(_along(direction, towards), 0)
        shape = _shape(lamp, direction, cosine)
        total = float((shape * cosine * weight).sum())
        level = sphere.reduced((shape * np.float32(np.pi * lamp.ratio / total))[:, :, None], ROWS)
        panorama += level * _tint(lamp, rig.white_kelvin)
    return panorama


def towards_lamp(lamp: Lamp) -> F32:
    """Unit direction float32 (3,), camera frame, from the face to the lamp."""
    azimuth, elevation = np.deg2rad(lamp.azimuth_deg), np.deg2rad(lamp.elevation_deg)
    horizontal = np.cos(elevation)
    return np.array([horizontal * np.sin(azimuth), np.sin(elevation), horizontal * np.cos(azimuth)], np.float32)


def _tint(source: Coloured, white_kelvin: float) -> F32:
    """Linear colour (3,) of luminance 1. ``color`` is taken as the camera shows it, kelvin by the white balance."""
    if source.color is not None:
        code = np.array([int(source.color[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
        linear = np.maximum(srgb8_to_linear(code), 1e-3)
        return np.asarray(linear / (linear @ LUMA), np.float32)
    return blackbody(source.kelvin or white_kelvin, white_kelvin)


def _around(fill: Sphere, direction: F32) -> F32:
    """Relative brightness (h, w): walls 1, up to ``above``, down to ``below``, back to ``behind``."""
    y, z = direction[:, :, 1], direction[:, :, 2]
    level = 1 + (fill.above - 1) * _step(y, 0.0, 0.7) + (fill.below - 1) * _step(-y, 0.0, 0.7)
    return np.asarray(level * (1 + (fill.behind - 1) * _step(-z, -0.3, 0.6)), np.float32)


def _shape(lamp: Lamp, direction: F32, cosine: F32) -> F32:
    """Relative radiance (h, w) of a lamp in all directions: its form, its soft edge, brighter in the middle."""
    if lamp.kind in ("sun", "bulb", "spot"):
        apparent = np.deg2rad(SUN_DEG) / 2 if lamp.kind == "sun" else np.arctan(_diameter(lamp) / 2 / lamp.distance_m)
        radius = max(float(apparent), np.pi / ROWS / 4)
        return _step(np.arccos(np.clip(cosine, 0, 1)), radius * 1.1, radius * 0.9)
    x, y = _on_plane(lamp, direction, cosine)
    if lamp.kind in RECTANGULAR:
        assert isinstance(lamp.size_m, tuple)
        return _rectangle(lamp.kind, x / (lamp.size_m[0] / 2), y / (lamp.size_m[1] / 2))
    radius_part = np.hypot(x, y) / (_diameter(lamp) / 2)
    if lamp.kind == "ring":
        return _step(radius_part, 1.02, 0.96) * _step(radius_part, 0.68, 0.74)
    umbrella = _step(radius_part, 1.02, 0.94) * (0.35 + 0.65 * np.exp(-2.0 * radius_part**2))
    return np.asarray(umbrella, np.float32)


def _rectangle(kind: str, x: F32, y: F32) -> F32:
    """x, y: place on the light, -1..1 from edge to edge."""
    edge = _step(np.abs(x), 1.02, 0.95) * _step(np.abs(y), 1.02, 0.95)
    if kind in ("softbox", "strip"):
        return np.asarray(edge * (0.6 + 0.4 * np.exp(-(x**2 + y**2))), np.float32)
    if kind == "window":  # four panes, brighter towards the sky
        bars = _step(np.abs(x), 0.02, 0.05) * _step(np.abs(y), 0.015, 0.04)
        return np.asarray(edge * (0.08 + 0.92 * bars) * (1 + 0.35 * y), np.float32)
    return edge


def _on_plane(lamp: Lamp, direction: F32, cosine: F32) -> tuple[F32, F32]:
    """Where rays from the face meet the lamp's plane, metres right and up of its centre; the lamp faces the person."""
    towards = towards_lamp(lamp)
    up = np.array([0.0, 1.0, 0.0]) if abs(towards[1]) < 0.999 else np.array([0.0, 0.0, -1.0])
    right = np.cross(towards, up)
    right /= np.linalg.norm(right)
    upwards = np.cross(right, towards)
    reach = np.where(cosine > 1e-3, lamp.distance_m / np.maximum(cosine, 1e-3), np.inf).astype(np.float32)
    with np.errstate(invalid="ignore"):
        x = np.nan_to_num(_along(direction, right) * reach, nan=1e9, posinf=1e9, neginf=-1e9)
        y = np.nan_to_num(_along(direction, upwards) * reach, nan=1e9, posinf=1e9, neginf=-1e9)
    return x, y


def _along(direction: F32, axis: F32 | F64) -> F32:
    """Dot product with one axis (3,): (h, w, 3) -> (h, w)."""
    product = cv2.transform(direction, axis.astype(np.float32)[None, :])
    return np.asarray(product, np.float32).reshape(direction.shape[:2])


def _diameter(lamp: Lamp) -> float:
    return max(lamp.size_m) if isinstance(lamp.size_m, tuple) else lamp.size_m


def _step(x: F32 | F64, zero: float, one: float) -> F32:
    """Smooth step: 0 at x = zero, 1 at x = one, either way round."""
    t = np.clip((x - zero) / (one - zero), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
