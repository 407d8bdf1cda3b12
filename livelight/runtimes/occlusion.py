"""What a person's own body keeps off from each of their points: the nose from the cheek, the chin from the throat.

After Kanamori and Endo, Relighting Humans (SIGGRAPH Asia 2018): per pixel the network finds which part of the light of
each direction arrives there, so that one light's shadows follow from the same map as another's. Theirs are spherical
harmonics; here they are parts of a fixed set of directions, which stay positive and know behind from in front.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from livelight.runtimes.light_ball import code_directions, code_solid_angles

DIRECTIONS = 32
"""Into how many directions light is gathered: 35 degrees from one to the next."""
SHARPNESS = 14.0
"""How soon a cell of a light code counts less for a direction that it lies aside of: exp(SHARPNESS cos)."""
MOST = 1.5
"""Largest part: above 1 where skin or cloth nearby throws light."""
SOFT = 0.03
"""A direction stands for all around it: some of them still reach a surface that it is behind."""
DARK = 0.02
"""Added to irradiance over pi before its logarithm; as in RelightNetwork.shade."""


def gathering_directions() -> Tensor:
    """(DIRECTIONS, 3) unit vectors, evenly spread over the sphere (a Fibonacci lattice), camera frame."""
    k = torch.arange(DIRECTIONS) + 0.5
    y = 1 - 2 * k / DIRECTIONS
    turn = math.pi * (1 + math.sqrt(5)) * k
    level = torch.sqrt(1 - y * y)
    return torch.stack([level * torch.sin(turn), y, level * torch.cos(turn)], 1)


def gathering() -> Tensor:
    """(256, DIRECTIONS): light code -> irradiance over pi of a surface that faces each direction, from around it.

    Every cell's light is shared among the nearest directions; none is lost.
    """
    near = torch.softmax(SHARPNESS * code_directions() @ gathering_directions().T, 1)
    return near * code_solid_angles()[:, None] / math.pi


class Occlusion(nn.Module):
    """(features) -> parts of light that arrive -> logarithm of what that does to the shading under a light."""

    directions: Tensor
    gathering: Tensor

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.coarse, self.fine = nn.Conv2d(coarse, DIRECTIONS, 3, 1, 1), nn.Conv2d(fine, DIRECTIONS, 1)
        self.register_buffer("directions", gathering_directions()[..., None, None], persistent=False)
        self.register_buffer("gathering", gathering(), persistent=False)

    def begin(self) -> None:
        """Let all light arrive everywhere."""
        for layer in (self.coarse, self.fine):
            nn.init.zeros_(layer.weight)
        nn.init.constant_(self.coarse.bias, -math.log(MOST - 1))
        nn.init.zeros_(self.fine.bias)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Part of each direction's light that arrives (n, DIRECTIONS, h, w), in 0..MOST.

        coarse: (n, c, h / 2, w / 2); fine: (n, d, h, w).
        """
        wide = F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        return MOST * torch.sigmoid(wide + self.fine(fine))

    def effect(self, parts: Tensor, normals: Tensor, lights: Tensor) -> Tensor:
        """Log of the shading with these parts over that with all light (n, c, h, w); 0 where parts are 1.

        parts: of ``forward``. normals: (n, 3, h, w), unit. lights: codes (n, c, 16, 16), linear, c of any number.
        """
        across = F.conv2d(normals, self.directions)
        reach = 0.5 * (across + torch.sqrt(across * across + SOFT))
        gathered = (lights.flatten(2) @ self.gathering).transpose(1, 2)[:, None]
        # Pixels first, as the engines for CPUs have them in memory; one logarithm, since those are slow there.
        arriving, all_light = (x.permute(0, 2, 3, 1) @ gathered + DARK for x in (reach * parts, reach))
        return torch.log(arriving / all_light).permute(0, 3, 1, 2)
