"""Lights to relight clips with: panoramas as 16 x 16 codes, NVPR's sampling (eq. 9), rigs, sudden switches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from training.light_stage.directions import BASIS, direction, form_vectors, latlong, solid_angles
from training.light_stage.motion import Drift

MAX_GAIN_MEAN = 3.0  # a panorama lit only from behind is not exposed beyond this mean radiance
SUN_SHARE = 0.12  # of all light, that one cell of a code may hold
MAX_SUN = 6.0  # irradiance


@dataclass
class Light:
    """One illumination. code (16, 16, 3) float32 linear radiance; hard: (index, rgb irradiance) of a clip's hard
    lights, not yet in the code; sources: (weight, panorama index or -1, rotation in degrees) that made it."""

    code: np.ndarray
    hard: list[tuple[int, np.ndarray]] = field(default_factory=list)
    sources: list[tuple[float, int, float]] = field(default_factory=list)

    def with_hard(self, hard_dirs: np.ndarray) -> np.ndarray:
        """(16, 16, 3) the code with its hard lights splatted in, their energy kept: what a network is told."""
        code = self.code.copy()
        for index, rgb in self.hard:
            code += point_code(hard_dirs[index]) * np.asarray(rgb, np.float32)
        return code


def point_code(toward: np.ndarray) -> np.ndarray:
    """(16, 16, 1) radiance of a small light of unit irradiance from `toward` (3,), shared over the nearest cells."""
    u, v = latlong(np.asarray(toward, np.float64))
    x, y = u * BASIS - 0.5, np.clip(v * BASIS - 0.5, 0, BASIS - 1)
    x0, y0 = int(np.floor(x)), min(int(y), BASIS - 2)
    code = np.zeros((BASIS, BASIS, 1), np.float32)
    for i, wx in ((x0, 1 - x + x0), (x0 + 1, x - x0)):
        for j, wy in ((y0, 1 - y + y0), (y0 + 1, y - y0)):
            code[j, i % BASIS] += wx * wy
    return (code / solid_angles(BASIS, BASIS)[..., None]).astype(np.float32)


def grey_card(code: np.ndarray) -> np.ndarray:
    """(3,) radiance of a white card that faces the camera under a code, over that of a unit environment."""
    cosine = np.maximum(form_vectors()[:, 2], 0) / np.pi
    return cosine @ np.asarray(code, np.float32).reshape(-1, 3)


def exposed(code: np.ndarray) -> np.ndarray:
    """A code scaled by DESIGN.md's rule: a grey card (0.18) facing the camera comes out at linear 0.18."""
    luminance = float(grey_card(code) @ np.float32([0.2126, 0.7152, 0.0722]))
    return (code / max(luminance, 1e-6)).astype(np.float32)


class Panoramas:
    """A set of panoramas, held at 64 x 128 for light (area-averaged in solid angle, suns keep their energy), and at
    the files' 256 x 512 for what is seen behind the person."""

    HEIGHT = 64
    VIEW_HEIGHT = 256

    def __init__(self, files: list[Path]) -> None:
        if not files:
            raise FileNotFoundError("no panoramas; set LIVELIGHT_ASSETS to the folder that holds hdri/*.hdr")
        self.files = files
        whole = [self._load(f) for f in files]
        self.images = [average(image, self.HEIGHT, 2 * self.HEIGHT) for image in whole]
        self._views = [self._shown(image).astype(np.float16) for image in whole]

    def _shown(self, image: np.ndarray) -> np.ndarray:
        small = len(image) <= self.VIEW_HEIGHT
        return image if small else average(image, self.VIEW_HEIGHT, 2 * self.VIEW_HEIGHT)

    def _load(self, path: Path) -> np.ndarray:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1].astype(np.float32)
        return np.minimum(np.nan_to_num(image, posinf=6e4), 6e4)

    def turned(self, index: int, rotation_deg: float) -> np.ndarray:
        """(64, 128, 3) linear panorama with its content moved right by rotation_deg (to whole texels)."""
        image = self.images[index]
        return np.roll(image, round(rotation_deg / 360 * image.shape[1]), axis=1)

    def view(self, index: int, rotation_deg: float) -> np.ndarray:
        """(h, 2h, 3) float32: as `turned`, as sharp as the file is, up to 256 x 512."""
        image = self._views[index]
        return np.roll(image, round(rotation_deg / 360 * image.shape[1]), axis=1).astype(np.float32)

    def code(self, index: int, rotation_deg: float) -> np.ndarray:
        """(16, 16, 3) linear light code of a turned panorama, in the file's own scale."""
        return average(self.turned(index, rotation_deg), BASIS, BASIS)

    def background(self, light: Light, clip, rng: np.random.Generator) -> np.ndarray:
        """(H, W, 3) linear backdrop that fits a light: its heaviest panorama seen by the clip's camera."""
        from training.light_stage.backdrop import backdrop

        return backdrop(self, light, clip.arrays, clip.shape[1:], rng)


def average(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Area average in solid angle of a lat-long (h, w, 3) image, h and w multiples of the new size."""
    h, w = image.shape[:2]
    weight = solid_angles(h, w)[..., None]
    blocks = (image * weight).reshape(height, h // height, width, w // width, 3).sum((1, 3))
    total = weight.reshape(height, h // height, 1, w, 1)[:, :, 0, : w // width].sum((1, 2))
    return (blocks / total[:, None]).astype(np.float32)


def without_sun(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the code with no cell above SUN_SHARE of all its light, irradiance (3,) of what was taken off).

    A clip's factorised response is blotchy under one glaring cell; its hard lights have the shadows of a sun.
    """
    light = code * solid_angles(BASIS, BASIS)[..., None]
    power = light.sum(-1, keepdims=True)
    kept = np.minimum(1.0, SUN_SHARE * power.sum() / np.maximum(power, 1e-9))
    return (code * kept).astype(np.float32), (light * (1 - kept)).sum((0, 1)).astype(np.float32)


def _panorama_light(rng: np.random.Generator, panoramas: Panoramas, lamps: int = 0) -> Light:
    """NVPR's X: a random panorama under random rotation; exposed, then up to a stop off.

    Its sun, if it has one, becomes one of a clip's `lamps` hard lights.
    """
    index, rotation = int(rng.integers(len(panoramas.files))), float(rng.uniform(0, 360))
    code = exposed(panoramas.code(index, rotation))
    mean = (code * (solid_angles(BASIS, BASIS) / (4 * np.pi))[..., None]).sum((0, 1)).mean()
    code = code * min(1.0, MAX_GAIN_MEAN / mean) * 2.0 ** float(np.clip(rng.normal(0, 0.5), -1.5, 1.0))
    code, sun = without_sun(code)
    hard = [(int(rng.integers(lamps)), np.minimum(sun, MAX_SUN))] if lamps and sun.max() > 0.05 else []
    return Light(code, hard, [(1.0, index, rotation)])


def _point_lights(rng: np.random.Generator) -> np.ndarray:
    """NVPR's Y: one to three coloured point lights, at most 1.5 from the sphere's surface, projected to it."""
    code = np.zeros((BASIS, BASIS, 3), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        toward = rng.standard_normal(3)
        toward /= np.linalg.norm(toward)
        distance = 1 + rng.uniform(0, 1.5)
        colour = np.exp(rng.normal(0, 0.45, 3)) * rng.uniform(0.5, 4.0) / distance**2 * np.pi
        code += point_code(toward) * colour.astype(np.float32)
    return code


def mix(a: Light, b: Light, beta: float) -> Light:
    """beta a + (1 - beta) b."""
    sources = [(w * beta, i, r) for w, i, r in a.sources] + [(w * (1 - beta), i, r) for w, i, r in b.sources]
    hard = [(k, rgb * beta) for k, rgb in a.hard] + [(k, rgb * (1 - beta)) for k, rgb in b.hard]
    return Light(beta * a.code + (1 - beta) * b.code, hard, sources)


def soft_box(toward: np.ndarray, width: float) -> np.ndarray:
    """(16, 16) float64: 1 at the unit direction `toward` (3,), falling to 1/e at `width` radians from it."""
    u, v = np.meshgrid((np.arange(BASIS) + 0.5) / BASIS, (np.arange(BASIS) + 0.5) / BASIS)
    return np.exp(-((np.arccos(np.clip(direction(u, v) @ toward, -1, 1)) / width) ** 4))


def rig(rng: np.random.Generator) -> Light:
    """A studio-like light: one or two soft boxes of random size over a dim fill; at times a ring or coloured pair."""
    fill = rng.uniform(0.02, 0.5)
    code = np.full((BASIS, BASIS, 3), fill, np.float32) * np.exp(rng.normal(0, 0.1, 3))
    for _ in range(int(rng.integers(1, 3))):
        toward = direction(np.mod(rng.uniform(0.3, 1.7) / 2 + 0.5, 1), rng.uniform(0.15, 0.6))
        width = rng.uniform(0.15, 0.6)
        box = soft_box(toward, width)
        strength = rng.uniform(1, 4) / max(float((box * solid_angles(BASIS, BASIS)).sum()), 0.05)
        code += (box * strength)[..., None] * np.exp(rng.normal(0, rng.choice([0.08, 0.5]), 3))
    return Light((code * rng.uniform(0.4, 1.2)).astype(np.float32), [], [(1.0, -1, 0.0)])


def screen_glow(rng: np.random.Generator) -> Callable[[float], np.ndarray]:
    """A monitor's light from the front and below: its (16, 16, 3) code at a time in seconds.

    Colour and strength drift slowly, and jump when the screen shows something else.
    """
    toward = np.array([rng.normal(0, 0.25), rng.uniform(-0.7, -0.15), 1.0])
    shape = soft_box(toward / np.linalg.norm(toward), rng.uniform(0.25, 0.5)) * solid_angles(BASIS, BASIS)
    shape = shape / max(float(shape.sum()), 1e-6) / solid_angles(BASIS, BASIS)
    strength = rng.uniform(0.15, 1.6)
    drifts = [Drift(rng, 0.25) for _ in range(3)]
    scenes = np.exp(rng.normal(0, 0.45, (8, 3))) * [0.9, 1.0, 1.2]
    cut_s = float(rng.uniform(1.5, 6.0))

    def at(time_s: float) -> np.ndarray:
        colour = scenes[int(time_s / cut_s) % len(scenes)] * np.exp([0.35 * d(time_s) for d in drifts])
        return (shape[..., None] * strength * colour).astype(np.float32)

    return at


def plain_lights(rng: np.random.Generator, panoramas: Panoramas, lamps: int = 0) -> tuple[Light, Light, Light]:
    """Three panoramas under random rotations, in place of ``sample_lights``: NVPR's ablation "without sampling"."""
    first, second, third = (_panorama_light(rng, panoramas, lamps) for _ in range(3))
    return first, second, third


def _base_light(rng: np.random.Generator, panoramas: Panoramas, rigs: float, hard: float, lamps: int) -> Light:
    light = rig(rng) if rng.random() < rigs else _panorama_light(rng, panoramas, lamps)
    if lamps and rng.random() < hard:
        dim = rng.uniform(0.15, 0.7)
        light.code *= dim
        colour = np.exp(rng.normal(0, 0.12, 3)) * rng.uniform(1.0, 4.5)
        light.hard = [(k, rgb * np.float32(dim)) for k, rgb in light.hard]
        light.hard.append((int(rng.integers(lamps)), colour.astype(np.float32)))
    return light


def sample_lights(
    rng: np.random.Generator, panoramas: Panoramas, rigs: float = 0.15, hard: float = 0.3, lamps: int = 8,
    switches: float = 0.05, glow: float = 0.2,
) -> tuple[Light, Light, Light]:  # fmt: skip
    """Source light at t, source light at t + 1 and target light, as NVPR's eq. 9:

    L_i = X_i; L_j = b1 L_i + (1 - b1) X_j; L_k = b2 L_j + (1 - b2) X_k + Y, b ~ Beta(0.5, 0.5).

    Beyond NVPR: with probability `rigs` an X is a studio rig, with `hard` it carries one of a clip's `lamps` hard
    lights, with `switches` L_j is L_i switched nearly off or back on (NVPR names that its failure), and with `glow` a
    monitor shines on the person in both source lights, up to three seconds apart.
    """
    first = _base_light(rng, panoramas, rigs, hard, lamps)
    second = mix(first, _base_light(rng, panoramas, rigs, hard, lamps), float(rng.beta(0.5, 0.5)))
    third = mix(second, _base_light(rng, panoramas, rigs, hard, lamps), float(rng.beta(0.5, 0.5)))
    third.code = third.code + _point_lights(rng) * (rng.random() < 0.5)
    if rng.random() < switches:
        dim = float(rng.uniform(0.05, 0.3))
        second = mix(first, Light(np.zeros_like(first.code)), dim)
    if rng.random() < glow:
        screen, start_s = screen_glow(rng), float(rng.uniform(0, 20))
        first.code, second.code = first.code + screen(start_s), second.code + screen(start_s + rng.uniform(0.05, 3))
    return first, second, third
