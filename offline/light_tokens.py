"""RelightVid's HDR branch: each frame's environment as three tokens beside the text.

It is described in the paper, its weights are not published: this file runs for those who have trained or obtained
some. A file holds ``layers.0.weight`` ... ``layers.6.bias`` of the MLP below.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from livelight.color import linear_to_srgb
from livelight.environment import rolled_off

TOKENS = 3
GRID = 32
HIDDEN = 4096


class LightTokens(nn.Module):
    """3072 -> 4096 -> 4096 -> 4096 -> 3 x width, LeakyReLU 0.01 between: (n, 3072) -> (n, 3, width)."""

    def __init__(self, width: int = 768, hidden: int = HIDDEN) -> None:
        super().__init__()
        sides = (3 * GRID * GRID, hidden, hidden, hidden)
        layers: list[nn.Module] = []
        for a, b in pairwise(sides):
            layers += [nn.Linear(a, b), nn.LeakyReLU(0.01)]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden, TOKENS * width))
        self.width = width

    def forward(self, picture: Tensor) -> Tensor:
        return self.layers(picture).view(-1, TOKENS, self.width)


def light_picture(environment: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the branch sees of a panorama float32 (h, 2h, 3), linear, exposed: float32 (3072,) in [-1, 1].

    256 x 256, blurred (15 x 15, sigma 10), 32 x 32, channels first; as a camera would record it (sRGB, highlights
    rolled off), since the paper gives no tone curve.
    """
    coded = linear_to_srgb(rolled_off(environment))
    square = cv2.resize(coded, (256, 256), interpolation=cv2.INTER_AREA)
    small = cv2.resize(cv2.GaussianBlur(square, (15, 15), 10), (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray((small * 2 - 1).transpose(2, 0, 1), np.float32).reshape(-1)


def light_pictures(environments: list[NDArray[np.float32]]) -> Tensor:
    """``light_picture`` of several frames: float32 (n, 3072)."""
    return torch.from_numpy(np.stack([light_picture(e) for e in environments]))
