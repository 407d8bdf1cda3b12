"""What the relighting network is made of. All pictures are float32 (n, c, h, w)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Two 3x3 convolutions with a residual path."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(c, c, 3, 1, 1), nn.Conv2d(c, c, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.b(F.relu(self.a(x))))


class HalfGRU(nn.Module):
    """Convolutional GRU over the second half of the channels (Lin et al., Robust Video Matting, sec. 3.1)."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.c = c // 2
        self.gates = nn.Conv2d(2 * self.c, 2 * self.c, 3, 1, 1)
        self.candidate = nn.Conv2d(2 * self.c, self.c, 3, 1, 1)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        # Slices, not split: split exports as a sequence, which TensorRT does not take.
        keep, b = x[:, : -self.c], x[:, -self.c :]
        gates = torch.sigmoid(self.gates(torch.cat([b, h], 1)))
        r, z = gates[:, : self.c], gates[:, self.c :]
        new = torch.tanh(self.candidate(torch.cat([b, r * h], 1)))
        h = (1 - z) * h + z * new
        return torch.cat([keep, h], 1), h


class Up(nn.Module):
    """Twice the size, joined with a skip, one convolution."""

    def __init__(self, c: int, skip: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c + skip, out, 3, 1, 1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        wide = F.interpolate(x, scale_factor=2.0, mode="nearest")
        return F.relu(self.conv(torch.cat([wide, skip.to(x.dtype)], 1)))
