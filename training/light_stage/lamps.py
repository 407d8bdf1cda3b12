"""Lamps about a person, as portraits, stages and rooms of two colours have them; and their share of what trains."""

import numpy as np

from training.light_stage.directions import BASIS, solid_angles
from training.light_stage.lights import Light, Panoramas, exposed, sample_lights, soft_box

KEYS = 0.25  # share of a training's targets that are one key light
COLOURED = 0.15  # share of a training's targets that are coloured lamps
TWO_COLOURS = 0.15  # share of a training's sources that are a lamp on one side and a window on the other
MOST_KEY = 6.0  # irradiance of a key light before chance makes it brighter or darker


def _seen_from_face(azimuth: float, elevation: float) -> np.ndarray:
    """Unit direction (3,), camera frame, of angles in radians: azimuth 0 is at the camera, positive towards +x."""
    level = np.cos(elevation)
    return np.array([level * np.sin(azimuth), np.sin(elevation), level * np.cos(azimuth)])


def key_light(rng: np.random.Generator) -> Light:
    """A portrait's key light over a dim fill: one soft box, most often from above and in front, as presets have it."""
    elevation = np.radians(rng.triangular(-10, 50, 88))
    azimuth = np.radians(np.clip(rng.normal(0, 65), -170, 170))
    toward = _seen_from_face(azimuth, elevation)
    box = soft_box(toward, rng.uniform(0.35, 0.7))  # a narrower one would be a glaring cell: blotches
    box = box / max(float((box * solid_angles(BASIS, BASIS)).sum()), 0.05)
    tint, fill = np.exp(rng.normal(0, 0.15, (2, 3)))
    code = (box[..., None] * np.pi * tint + rng.uniform(0.02, 0.3) * fill).astype(np.float32)
    return Light(_exposed_key(code) * np.float32(rng.uniform(0.7, 1.4)), [], [(1.0, -1, 0.0)])


def _exposed_key(code: np.ndarray) -> np.ndarray:
    """``exposed`` of a code whose key light has irradiance pi, but no further than MOST_KEY: where exposing for a card
    that faces the camera would burn out all else."""
    return np.minimum(exposed(code), MOST_KEY / np.float32(np.pi) * code)


def coloured_lamps(rng: np.random.Generator) -> Light:
    """One to three lamps anywhere about the person, behind too, white to fully coloured, as stages and signs have."""
    area = solid_angles(BASIS, BASIS)[..., None]
    lamps = np.zeros((BASIS, BASIS, 3))
    for lamp in range(int(rng.integers(1, 4))):
        toward = _seen_from_face(rng.uniform(-np.pi, np.pi), np.radians(rng.triangular(-20, 10, 80)))
        box = soft_box(toward, rng.uniform(0.35, 0.7))[..., None]
        hue = np.maximum(0.4 + np.cos(2 * np.pi * (rng.random() + np.arange(3) / 3)), 0)
        colour = 1 + np.sqrt(rng.uniform(0, 1)) * (hue / (hue @ [0.2126, 0.7152, 0.0722]) - 1)
        strength = 1 if lamp == 0 else rng.uniform(0.2, 1)
        lamps += box / max(float((box * area).sum()), 0.05) * strength * np.minimum(colour, 4)
    fill = rng.uniform(0.02, 0.3) * np.exp(rng.normal(0, 0.25, 3))
    code = (lamps * np.pi / (lamps * area).sum((0, 1)).max() + fill).astype(np.float32)
    return Light(_exposed_key(code) * np.float32(rng.uniform(0.7, 1.4)), [], [(1.0, -1, 0.0)])


def two_colours(rng: np.random.Generator) -> Light:
    """A room with a warm light on one side and a cool one on the other, as a lamp and a window make it, over a fill."""
    area = solid_angles(BASIS, BASIS)[..., None]
    code = np.full((BASIS, BASIS, 3), rng.uniform(0.05, 0.4), np.float32) * np.exp(rng.normal(0, 0.1, 3))
    side = rng.choice([-1, 1])
    for sign, colour in ((side, [1.5, 1.0, 0.55]), (-side, [0.75, 1.0, 1.35])):
        toward = _seen_from_face(np.radians(sign * rng.uniform(35, 120)), np.radians(rng.uniform(-10, 45)))
        box = soft_box(toward, rng.uniform(0.35, 0.8))[..., None]
        tint = np.power(np.array(colour), rng.uniform(0.3, 1.7)) * np.exp(rng.normal(0, 0.08, 3))
        code += box / max(float((box * area).sum()), 0.05) * tint * rng.uniform(0.6, 4.0)
    return Light(exposed(code) * np.float32(rng.uniform(0.5, 1.4)), [], [(1.0, -1, 0.0)])


def lights_with_keys(rng: np.random.Generator, panoramas: Panoramas, lamps: int = 8) -> tuple[Light, Light, Light]:
    """``sample_lights``; a share of KEYS of the targets is a ``key_light`` by itself, one of COLOURED is of
    ``coloured_lamps``, and one of TWO_COLOURS of the sources a room of ``two_colours``.

    A mixture after eq. 9 is seldom one lamp: what a network learns of it is mild under light from above; and seldom of
    two colours, one on each half of a face. Held-out samples keep to ``sample_lights``.
    """
    first, second, target = sample_lights(rng, panoramas, lamps=lamps)
    if rng.random() < TWO_COLOURS:
        first = two_colours(rng)
    kind = rng.random()
    if kind < KEYS + COLOURED:
        target = key_light(rng) if kind < KEYS else coloured_lamps(rng)
    return first, second, target


def lamp(rng: np.random.Generator, lamps: int) -> Light:
    """One key light, soft or one of a clip's hard ones, over a dim fill."""
    if rng.random() < 0.5:
        return key_light(rng)
    fill = np.full((16, 16, 3), rng.uniform(0.02, 0.15), np.float32)
    return Light(fill, [(int(rng.integers(lamps)), np.full(3, rng.uniform(1.5, 4.0), np.float32))])


def lights_with_lamps(rng: np.random.Generator, panoramas: Panoramas, lamps: int = 8) -> tuple[Light, Light, Light]:
    """``sample_lights``, but every target is one ``lamp``, as most presets are."""
    first, second, _ = sample_lights(rng, panoramas, lamps=lamps)
    return first, second, lamp(rng, lamps)
