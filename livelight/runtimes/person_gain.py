"""One gain per colour for the whole person: what no local filter can tell, since albedo and exposure look alike there.

Statistics of picture, features, albedo and shading over the person, and both lights, go through two layers, which are
trained with the network, and through one that least squares finds afterwards (training.fit_person_gain). Both begin by
doing nothing, so that a network trained without them can go on.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PHYSICS = 18
"""Channels beside the deep features: picture, its logarithm, albedo, and three shadings."""
HIDDEN = 96
MOST = 1.5
"""Largest change by the trained layers, natural logarithm of coded values."""
FARTHEST = 3.0
"""Statistics are cut off at so many deviations before the fitted layer: on people unlike all others it says little."""
BRIGHTER, TINT = 0.4, 0.04
"""Largest change of brightness and, on top of it, of each colour by the fitted layer. A wrong tint is seen first."""


class PersonGain(nn.Module):
    """(person's maps, weights, lights) -> log gain."""

    centre: Tensor
    spread: Tensor
    split: Tensor
    join: Tensor
    most: Tensor

    def __init__(self, deep: int, embed: int) -> None:
        super().__init__()
        known = 2 * (deep + PHYSICS) + 2 * embed
        self.layers = nn.Sequential(nn.Linear(known, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
        self.last = nn.Linear(HIDDEN, 3)
        self.fitted = nn.Linear(known, 3)
        self.register_buffer("centre", torch.zeros(known))
        self.register_buffer("spread", torch.ones(known))
        self.register_buffer("split", torch.cat([torch.full((3, 1), 1 / 3), torch.eye(3) - 1 / 3], 1), persistent=False)
        self.register_buffer("join", torch.cat([torch.ones(1, 3), torch.eye(3)]), persistent=False)
        self.register_buffer("most", torch.tensor([BRIGHTER, TINT, TINT, TINT]), persistent=False)

    def begin(self) -> None:
        """Make the gain 1."""
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.unfit()

    def unfit(self) -> None:
        """Let the fitted layer do nothing; no gradient trains it."""
        nn.init.zeros_(self.fitted.weight)
        nn.init.zeros_(self.fitted.bias)
        self.fitted.requires_grad_(False)

    def statistics(self, deep: Tensor, small: Tensor, halves: Tensor, matte: Tensor, lights: Tensor) -> Tensor:
        """What the gain is told from, (n, 2 (c + PHYSICS) + 2 embed); the same arguments as ``forward``."""
        maps = torch.cat([deep, small, torch.log(small + 0.04), F.avg_pool2d(halves, 4)], 1)
        weight = matte + 1e-4
        weight = weight / weight.sum((2, 3), keepdim=True)
        mean = (maps * weight).sum((2, 3), keepdim=True)
        spread = torch.sqrt(((maps - mean).square() * weight).sum((2, 3)) + 1e-6)
        return torch.cat([mean.flatten(1), spread, lights], 1)

    def scaled(self, known: Tensor) -> Tensor:
        """Statistics in deviations from the mean of the people that the last layer was fitted to, cut off."""
        return ((known - self.centre) / self.spread).clamp(-FARTHEST, FARTHEST)

    def forward(self, deep: Tensor, small: Tensor, halves: Tensor, matte: Tensor, lights: Tensor) -> Tensor:
        """Log gain (n, 3, 1, 1).

        deep (n, c, h/8, w/8); small (n, 3, h/8, w/8), the picture, sRGB-coded [0, 1]; halves (n, 12, h/2, w/2): albedo,
        source shading, shadow, target shading; matte (n, 1, h/8, w/8) in [0, 1]; lights (n, 2 embed), both embedded.
        """
        known = self.statistics(deep, small, halves, matte, lights)
        trained = MOST * torch.tanh(self.last(self.layers(known)) / MOST)
        # Brightness and three tints, limited each, as one chain between two products: OpenVINO 2026.4 crashes on one
        # core when it compiles a value that goes two ways through element-wise operations here.
        parts = self.fitted(self.scaled(known)) @ self.split
        gain: Tensor = trained + (self.most * torch.tanh(parts / self.most)) @ self.join
        return gain[:, :, None, None]
