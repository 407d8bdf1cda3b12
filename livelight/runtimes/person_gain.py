"""One gain per colour for the whole person: what no local filter can tell, since albedo and exposure look alike there.

Statistics of picture, features, albedo and shading over the person, and both lights, through two layers. It begins by
doing nothing, so that a network trained without it can go on.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PHYSICS = 18
"""Channels beside the deep features: picture, its logarithm, albedo, and three shadings."""
HIDDEN = 96
MOST = 1.5
"""Largest change, natural logarithm of coded values."""


class PersonGain(nn.Module):
    """(person's maps, weights, lights) -> log gain."""

    def __init__(self, deep: int, embed: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * (deep + PHYSICS) + 2 * embed, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()
        )
        self.last = nn.Linear(HIDDEN, 3)

    def begin(self) -> None:
        """Make the gain 1."""
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, deep: Tensor, small: Tensor, halves: Tensor, matte: Tensor, lights: Tensor) -> Tensor:
        """Log gain (n, 3, 1, 1).

        deep (n, c, h/8, w/8); small (n, 3, h/8, w/8), the picture, sRGB-coded [0, 1]; halves (n, 12, h/2, w/2): albedo,
        source shading, shadow, target shading; matte (n, 1, h/8, w/8) in [0, 1]; lights (n, 2 embed), both embedded.
        """
        maps = torch.cat([deep, small, torch.log(small + 0.04), F.avg_pool2d(halves, 4)], 1)
        weight = matte + 1e-4
        weight = weight / weight.sum((2, 3), keepdim=True)
        mean = (maps * weight).sum((2, 3), keepdim=True)
        spread = torch.sqrt(((maps - mean).square() * weight).sum((2, 3)) + 1e-6)
        found: Tensor = self.last(self.layers(torch.cat([mean.flatten(1), spread, lights], 1)))
        return (MOST * torch.tanh(found / MOST))[:, :, None, None]
