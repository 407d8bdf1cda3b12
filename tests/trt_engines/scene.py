"""A small moving scene for the live path: frames, mattes, lights."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch

from livelight.frame import Frame
from livelight.lighting import Light
from livelight.runtimes.torch_network import SIZES, RelightNetwork

WIDTH, HEIGHT = 208, 122
"""Not multiples of 4 or 16, so that every resize is a true one."""


def network(seed: int = 5) -> RelightNetwork:
    """A small network with random weights whose outputs are far from constant and whose state matters."""
    torch.manual_seed(seed)
    made = RelightNetwork(SIZES["S"], occlusion=True).eval()
    for head in (made.out, made.geometry, made.matte):
        head.weight.data.mul_(3.0)
    assert made.occlusion is not None
    torch.nn.init.normal_(made.occlusion.coarse.weight, std=0.1)
    return made


def picture(t: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """uint8 (h, w, 3): soft blobs that move to the right, and a flicker."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x = x - 2 * t
    waves = [np.sin(x / (9 + 3 * c) + c) * np.cos(y / (7 + 2 * c)) for c in range(3)]
    return ((0.5 + 0.35 * np.stack(waves, -1)) * (235 + 20 * np.sin(t))).clip(0, 255).astype(np.uint8)


def frames(count: int, width: int = WIDTH, height: int = HEIGHT) -> list[Frame]:
    return [Frame(picture(t, width, height), t, Fraction(1, 30), 0.0) for t in range(count)]


def light(t: int, **changes: object) -> Light:
    """A light that turns with time, on the frame's own room unless changed."""
    code = np.random.default_rng(t // 4).gamma(0.5, 1.0, (16, 16, 3)).astype(np.float32)
    given = {"backdrop": None, "blur": 0.0, "intensity": 0.9, "tone_gain": np.float32([1.1, 1.0, 0.9]), **changes}
    return Light(code=code, **given)  # type: ignore[arg-type]


class Oval:
    """A segmenter that sees one soft oval person who sways by ``sway`` of 128 columns from call to call."""

    def __init__(self, sway: float = 6.0) -> None:
        self.calls, self.sway = 0, sway

    def segment(self, picture: np.ndarray) -> np.ndarray:
        self.calls += 1
        y, x = np.mgrid[:72, :128].astype(np.float32)
        middle = 64 + self.sway * np.sin(self.calls / 3)
        far = ((x - middle) / 26) ** 2 + ((y - 44) / 34) ** 2
        return np.clip(2.5 - 2.5 * far, 0, 1).astype(np.float32)
