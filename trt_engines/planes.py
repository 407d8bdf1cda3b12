"""The last step on the device: a float picture becomes the planes that encoders want."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from livelight.frame import luma_weights


def i420(picture: Tensor) -> Tensor:
    """picture: float32 (n, 3, h, w) sRGB-coded 0..255, h and w even. Returns Frame.planes, uint8 (n, 3 h / 2, w)."""
    height, width = picture.shape[2:]
    kr, kb = luma_weights(width, height)
    r, g, b = picture[:, 0:1], picture[:, 1:2], picture[:, 2:3]
    y = kr * r + (1 - kr - kb) * g + kb * b
    u, v = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    luma = (16 + y * (219 / 255)).round()
    chroma = (128 + F.avg_pool2d(torch.cat([u, v], 1), 2) * (224 / 255)).round()
    # -1, not n: a shape that is computed would leave the output's sizes open
    return torch.cat([luma[:, 0], chroma.reshape(-1, height // 2, width)], 1).to(torch.uint8)
