"""Prints on the surface of people: multiplied onto a picture and its relit truth alike, they must not change the light.

Rendered clothes and hair have few patterns; a network that has seen few takes a dark print for a shadow, and lifts it.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.losses import warp

F32 = NDArray[np.float32]

PRINTED = 0.4
"""Share of training samples that get a print."""
ON_CLOTHES = 0.75
"""Share of the prints that are on clothes alone; the others go over skin and hair too."""
CURVED = 0.5
"""Share of training samples that get a tone curve with crushed blacks."""
TOE = 0.5
"""sRGB-coded value below which such a curve bends."""


def surface_print(rng: np.random.Generator, side: int) -> F32:
    """A random print (side, side, 3): what it multiplies sRGB-coded values by, 0.15 to 1. Ink and ground may swap."""
    kind = rng.integers(4)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, side / 2)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    if kind == 0:  # stripes
        ink = np.sin(2 * np.pi * along / period)
    elif kind == 1:  # checks
        ink = np.sin(2 * np.pi * along / period) * np.sin(2 * np.pi * across / period)
    elif kind == 2:  # patches of cloth
        coarse = rng.normal(size=(int(rng.integers(3, 20)),) * 2).astype(np.float32)
        ink = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    else:  # letters
        page = np.zeros((side, side), np.uint8)
        for _ in range(int(rng.integers(2, 12))):
            word = "".join(chr(rng.integers(65, 91)) for _ in range(int(rng.integers(1, 7))))
            at = (int(rng.integers(-side // 4, side)), int(rng.integers(side)))
            height, thick = float(rng.uniform(0.4, 2.5)), int(rng.integers(1, 6))
            cv2.putText(page, word, at, cv2.FONT_HERSHEY_SIMPLEX, height, 255, thick, cv2.LINE_AA)
        ink = page.astype(np.float32) / 127.5 - 1
    # Soft edges would look like shadows, and teach that shadows are paint.
    share = np.clip(ink * rng.uniform(6, 12) * 0.5 + 0.5, 0, 1)[..., None]
    if rng.random() < 0.5:
        share = 1 - share
    dark = np.float32(rng.uniform(0.15, 0.8)) ** np.float32(1 + rng.uniform(0.1, 1) * rng.uniform(-1, 1, 3))
    return (1 + share * (np.clip(dark, 0.15, 1) - 1)).astype(np.float32)


def printed(tensors: dict[str, Tensor], rng: np.random.Generator, on_clothes: float = ON_CLOTHES) -> dict[str, Tensor]:
    """A sample of ``training.samples.Samples`` with a print on the person or their clothes, which moves with them.

    image, target and albedo are multiplied by it; how the person is lit stays as it was.
    """
    alpha = tensors["alpha"]
    where = tensors["cloth"] if rng.random() < on_clothes else alpha
    first = torch.from_numpy(np.moveaxis(surface_print(rng, alpha.shape[-1]), -1, 0).copy())
    frames = [first]
    for flow in tensors["flow_bwd"]:
        frames.append(warp(frames[-1][None], flow[None])[0])
    ink = torch.stack(frames)
    # A mixed pixel keeps what it shows of the room; albedo is that of the person alone.
    on_person, of_person = 1 + where * (ink - 1), 1 + where / alpha.clamp(min=1 / 255) * (ink - 1)
    changed = {name: tensors[name] * on_person for name in ("image", "target")}
    return tensors | changed | {"albedo": tensors["albedo"] * of_person}


def curved(tensors: dict[str, Tensor], rng: np.random.Generator) -> dict[str, Tensor]:
    """A sample whose camera crushes blacks: one tone curve on image and target, so that black hair stays black.

    Only what is darker than TOE gets darker: a curve over all tones would teach a wrong exposure.
    """
    crushed = rng.uniform(0, 0.12)

    def curve(picture: Tensor) -> Tensor:
        return (picture - crushed * (1 - picture / TOE).clamp(min=0) ** 2).clamp(min=0)

    return tensors | {name: curve(tensors[name]) for name in ("image", "target")}


def varied(tensors: dict[str, Tensor], rng: np.random.Generator) -> dict[str, Tensor]:
    """A training sample, printed and curved as often as PRINTED and CURVED say."""
    if rng.random() < PRINTED:
        tensors = printed(tensors, rng)
    tensors = {name: value for name, value in tensors.items() if name != "cloth"}
    if rng.random() < CURVED:
        tensors = curved(tensors, rng)
    return tensors
