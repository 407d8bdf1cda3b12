"""A light code as the relighting network sees it: pictures of balls under that light, indexed by the normal."""

from __future__ import annotations

import math

import torch
from torch import Tensor

CODE = 16
"""Rows and columns of a light code."""
BALL = 32
"""Rows and columns of a light ball."""
LOBES = (1.0, 8.0, 48.0)
"""Exponents of the cosine lobes at which the network is shown a light: diffuse, rough gloss, sharp gloss."""


def code_directions() -> Tensor:
    """Unit directions (256, 3) of the centres of the light code's cells, row-major, camera frame."""
    v = (torch.arange(CODE) + 0.5) / CODE
    p = 2 * math.pi * ((torch.arange(CODE) + 0.5) / CODE - 0.5)
    theta = math.pi * v[:, None]
    x, y, z = torch.sin(theta) * torch.sin(p), torch.cos(theta).expand(CODE, CODE), -torch.sin(theta) * torch.cos(p)
    return torch.stack([x, y, z], -1).reshape(-1, 3)


def code_solid_angles() -> Tensor:
    """Solid angle (256,) in steradian of each cell; they sum to 4 pi."""
    edges = torch.cos(math.pi * torch.arange(CODE + 1) / CODE)
    row = (edges[:-1] - edges[1:]) * 2 * math.pi / CODE
    return row[:, None].expand(CODE, CODE).reshape(-1)


def light_ball(exponent: float) -> Tensor:
    """(BALL * BALL, 256): light code -> picture of a ball under it, as seen along -z, indexed by the normal's x and y.

    Each pixel is the light weighted by a normalised lobe max(cos, 0)^exponent: for exponent 1 about the normal n
    (diffuse irradiance / pi), above 1 about the mirror direction 2 n_z n - z (gloss). Row 0 is n_y = +1, column 0 is
    n_x = -1; outside the disc the rim continues. With the view fixed at +z this is all that shading needs of a light.
    """
    at = (torch.arange(BALL) + 0.5) / BALL * 2 - 1
    y, x = torch.meshgrid(-at, at, indexing="ij")
    r = torch.sqrt(x * x + y * y)
    shrink = torch.where(r > 0.999, 0.999 / r, torch.ones_like(r))
    x, y = x * shrink, y * shrink
    n = torch.stack([x, y, torch.sqrt(1 - x * x - y * y)], -1).reshape(-1, 3)
    axis = n if exponent == 1 else 2 * n[:, 2:] * n - torch.tensor([0.0, 0.0, 1.0])
    lobe = (axis @ code_directions().T).clamp(min=0) ** exponent * code_solid_angles()
    return lobe * (1 / math.pi if exponent == 1 else 1.0) / (1.0 if exponent == 1 else lobe.sum(1, keepdim=True))
