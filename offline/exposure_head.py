"""A linear guess at what the base gets wrong over a whole person: exposure, tint, and how strongly light models them.

What the base gets wrong most is one gain over all of a person, since albedo and exposure cannot be told apart locally.
Statistics of its features over the person tell part of it. The head is linear in them, so that least squares finds its
weights at once (training.fit_exposure): no gradient, no forgetting.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from livelight.runtimes.torch_network import Painting, RelightNetwork, Source
from offline.level import SOFT

LARGEST = 4.0
"""Statistics are cut off at so many deviations: people unlike all of the training change the answer only so far."""

MOST, TINT = 0.4, 0.04
"""Largest change of brightness and, on top of it, of each colour, natural logarithms of coded values. On people unlike
those of the training a linear guess goes astray, and a wrong tint is what viewers see first."""

BASES = 6
"""Maps that the answer is made of: one, the base's level, target and source shading, source shadow, normal's y."""


def half(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 2)


def maps_of(image: Tensor, base: Tensor, gain: Tensor, offset: Tensor, source: Source, painting: Painting) -> Tensor:
    """What is pooled, (n, c, h/2, w/2); the first SMALL channels are physics, the others features."""
    log_image, log_base = torch.log(half(image) + 0.05), torch.log(half(base) + 0.05)
    physics = [log_image, log_base, torch.log(half(gain)), half(offset), source.albedo, source.lit, source.shadow]
    features = [painting.shading, source.normals, source.detail, painting.fine]
    size = source.detail.shape[-2:]
    coarse = [
        F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        for x in (source.mid, painting.middle, source.deep, painting.coarse)
    ]
    return torch.cat([*physics, *features, *coarse], 1)


SMALL = 33
"""Channels of maps_of that are physics: pictures, gain, offset, albedo, shadings, normals."""


def bases_of(base: Tensor, source: Source, painting: Painting) -> Tensor:
    """(n, BASES, 3, h/2, w/2)."""
    one = torch.ones_like(source.lit)
    level = torch.log(half(base) + SOFT) + 1.0
    tall = source.normals[:, 1:2].expand_as(one)
    return torch.stack([one, level, painting.shading[:, :3], source.lit, source.shadow, tall], 1)


def statistics(maps: Tensor, matte: Tensor, source_light: Tensor, light: Tensor) -> Tensor:
    """(n, 2 c + 13): mean and deviation of maps (n, c, ...) over matte (n, 1, ...), and a few numbers of the lights."""
    weight = matte + 1e-4
    weight = weight / weight.sum((2, 3), keepdim=True)
    mean = (maps * weight).sum((2, 3))
    deviation = torch.sqrt(((maps - mean[:, :, None, None]) ** 2 * weight).sum((2, 3)) + 1e-8)
    lights = [torch.log(1 + x) for code in (source_light, light) for x in (code.mean((2, 3)), code.amax((2, 3)))]
    return torch.cat([mean, deviation, *lights, matte.mean((2, 3))], 1)


class ExposureHead(nn.Module):
    """Statistics to coefficients of the bases, linear; zero until it is fitted.

    trust: by how much, of 1, the trained network's answer counts beside it, a number per colour, fitted with the rest.
    """

    centre: Tensor
    spread: Tensor
    first: Tensor
    others: Tensor
    trust: Tensor

    def __init__(self, base: RelightNetwork) -> None:
        super().__init__()
        c = base.size
        channels = SMALL + c.detail + c.render * 2 + c.widths[1] + 2 * c.widths[2]
        self.channels = channels
        self.register_buffer("centre", torch.zeros(2 * channels + 13))
        self.register_buffer("spread", torch.ones(2 * channels + 13))
        self.register_buffer("first", torch.zeros(2 * channels + 14, 3))
        self.register_buffer("others", torch.zeros(BASES - 1, 2 * SMALL + 14, 3))
        self.register_buffer("trust", torch.ones(3))

    def scaled(self, statistics: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 2 c + 14) and (n, 2 SMALL + 14): all statistics, and those of physics, about unit, and a one."""
        x = ((statistics - self.centre) / self.spread).clamp(-LARGEST, LARGEST)
        c, one = self.channels, torch.ones_like(statistics[:, :1])
        few = torch.cat([x[:, :SMALL], x[:, c : c + SMALL], x[:, 2 * c :], one], 1)
        return torch.cat([x, one], 1), few

    def forward(self, statistics: Tensor, bases: Tensor) -> Tensor:
        """z (n, 3, h/2, w/2) in the unit of the bases, natural logarithms."""
        every, few = self.scaled(statistics)
        answer = (every @ self.first)[:, :, None, None] * bases[:, 0]
        for k in range(BASES - 1):
            answer = answer + (few @ self.others[k])[:, :, None, None] * bases[:, k + 1]
        light = answer.mean(1, keepdim=True)
        return light.clamp(-MOST, MOST) + (answer - light).clamp(-TINT, TINT)
