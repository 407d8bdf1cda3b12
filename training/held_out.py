"""What a relighter is measured on: rendered people, skins and panoramas that no training saw, the same each time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.color import linear_to_srgb
from training.light_stage.dataset import Clip, Panoramas, clips_of, load_clip, panoramas_of, sample_lights
from training.light_stage.footage import SKIN, Footage
from training.patterns import printed
from training.recolour import dye
from training.samples import DrawLights, sample

F32 = NDArray[np.float32]

TONES = (
    (55.0, "very light"),
    (41.0, "light"),
    (28.0, "intermediate"),
    (10.0, "tan"),
    (-30.0, "brown"),
    (-91.0, "dark"),
)
"""Skin tone groups by individual typology angle, degrees: the lowest angle of each (Chardon et al. 1991)."""


@dataclass(frozen=True, slots=True)
class HeldOutClip:
    """One sample of training.samples.Samples as numpy, and who it shows.

    arrays: float32; pictures (t, h, w, c), sRGB-coded in [0, 1] where they are pictures; target_light (16, 16, 3).
    tone: skin tone group, one of TONES.
    """

    arrays: dict[str, F32]
    tone: str

    def __getitem__(self, name: str) -> F32:
        return self.arrays[name]


def held_out_clips(
    folder: Path, split: str, per_clip: int, crop: int, frames: int = 3, seed: int = 2026, alike: bool = False,
    lights: DrawLights = sample_lights, dressed: bool = False,
) -> Iterator[HeldOutClip]:  # fmt: skip
    """``per_clip`` samples of every clip of a split; crops that show hardly anything of the person are left out.

    Every clip has a seed of its own: more clips in the folder do not change the samples of the others. alike: the n-th
    sample of every clip is drawn alike, under the same lights and with the same webcam, so that people can be compared.
    dressed: the same people and lights, but in clothes of random colours with prints on them, as real people wear;
    the camera exposes for them.
    Raises FileNotFoundError if the split has no clip.
    """
    paths = clips_of(folder, split)
    if not paths:
        raise FileNotFoundError(f"no {split} clips in {folder}; run python -m training.light_stage.render")
    panoramas = Panoramas(panoramas_of(split))
    for path in paths:
        clip = load_clip(path)
        who = int(path.stem.split("_")[1])
        rng, wardrobe = np.random.default_rng([seed, who]), np.random.default_rng([seed, who, 1])
        footage = Footage(clip, dye=dye(clip.arrays, wardrobe)) if dressed else Footage(clip)
        for number in range(per_clip):
            if alike:
                rng = np.random.default_rng([seed, number])
            tensors = sample(footage, panoramas, crop, frames, rng, lights)
            if dressed:
                tensors = printed(tensors, wardrobe, on_clothes=1.0)
            arrays = {name: pictures_last(name, value.numpy()) for name, value in tensors.items()}
            if arrays["alpha"][-1].sum() > 500:
                yield HeldOutClip(arrays, tone_of(clip))


def pictures_last(name: str, value: F32) -> F32:
    """An array of a sample with its channels last, as pictures have them; flow is so already."""
    return value.copy() if name == "flow_bwd" else np.moveaxis(value, -3, -1).copy()


def tone_of(clip: Clip) -> str:
    """The skin tone group of the person of a clip, by the median albedo of their skin; "unseen" where none shows."""
    arrays = clip.arrays
    skin = arrays["albedo"][arrays["label"] == SKIN].astype(np.float32)
    if len(skin) == 0:
        return "unseen"
    angle = typology_angle_deg(np.median(skin, axis=0))
    return next(name for lowest, name in TONES if angle > lowest)


def typology_angle_deg(albedo: F32) -> float:
    """Individual typology angle atan((L* - 50) / b*) of a linear Rec.709 albedo (3,), degrees."""
    pixel = linear_to_srgb(np.asarray(albedo, np.float32).reshape(1, 1, 3))
    lightness, _, yellow = cv2.cvtColor(pixel, cv2.COLOR_RGB2LAB)[0, 0]
    return math.degrees(math.atan2(float(lightness) - 50, max(float(yellow), 1e-6)))
