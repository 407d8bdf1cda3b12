"""The last step on the device: a float picture becomes the bytes that the sink wants."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from trt_engines.spec import Layout


def luma_weights(height: int, width: int) -> tuple[float, float]:
    """(kr, kb) of the YUV matrix that an untagged picture of this size has: Rec.709 from 1280 columns or 577 lines."""
    return (0.2126, 0.0722) if width >= 1280 or height > 576 else (0.299, 0.114)


def to_planes(picture: Tensor, layout: Layout) -> Tensor:
    """picture: float32 (n, 3, h, w) sRGB-coded 0..255; h and w even unless the layout is rgb. Returns uint8."""
    if layout == "rgb":
        return picture.permute(0, 2, 3, 1).round().to(torch.uint8)
    n, _, height, width = picture.shape
    kr, kb = luma_weights(height, width)
    r, g, b = picture[:, 0:1], picture[:, 1:2], picture[:, 2:3]
    y = kr * r + (1 - kr - kb) * g + kb * b
    u, v = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    luma = (16 + y * (219 / 255)).round()
    chroma = (128 + F.avg_pool2d(torch.cat([u, v], 1), 2) * (224 / 255)).round()
    if layout == "nv12":
        chroma = chroma.permute(0, 2, 3, 1)
    planes = torch.cat([luma.reshape(n, height, width), chroma.reshape(n, height // 2, width)], 1)
    return planes.to(torch.uint8)
