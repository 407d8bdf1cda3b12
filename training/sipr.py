"""A plain network in the manner of SIPR (Sun et al., Single Image Portrait Relighting, 2019): a baseline in training.

A U-Net from one picture to another: the bottleneck regresses the light of the source by a vote of confidences, and
takes the target light in its place; the decoder paints the relit picture. No state, no normals, no gain, no matte.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from livelight.runtimes.layers import Block, Up
from livelight.runtimes.light_ball import CODE
from livelight.runtimes.torch_network import SIZES
from training.losses import light_l1, masked_l1
from training.methods import Method

F32 = NDArray[np.float32]


class PlainNetwork(nn.Module):
    """(picture, target light) -> (relit picture, source light), both of the shapes of the arguments.

    Picture (n, 3, h, w) sRGB-coded [0, 1], h and w multiples of 16; light (n, 3, 16, 16) linear.
    """

    def __init__(self, size: str) -> None:
        super().__init__()
        c2, c4, c8, c16 = SIZES[size].widths
        self.stem = nn.Conv2d(3, c2, 3, 2, 1)
        self.down4 = nn.Sequential(nn.Conv2d(c2, c4, 3, 2, 1), nn.ReLU(), Block(c4))
        self.down8 = nn.Sequential(nn.Conv2d(c4, c8, 3, 2, 1), nn.ReLU(), Block(c8))
        self.down16 = nn.Sequential(nn.Conv2d(c8, c16, 3, 2, 1), nn.ReLU(), Block(c16), Block(c16))
        self.vote = nn.Conv2d(c16, 3 * CODE * CODE + 1, 1)
        self.take = nn.Linear(3 * CODE * CODE, c16)
        self.join = nn.Sequential(nn.Conv2d(2 * c16, c16, 1), nn.ReLU(), Block(c16))
        self.up8, self.up4 = Up(c16, c8, c8), Up(c8, c4, c4)
        self.up2, self.up1 = Up(c4, c2, c2), Up(c2, 3, c2)
        self.out = nn.Conv2d(c2, 3, 3, 1, 1)

    def forward(self, image: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        x = image - 0.5
        f2 = F.relu(self.stem(x))
        f4 = self.down4(f2)
        f8 = self.down8(f4)
        f16 = self.down16(f8)
        votes = self.vote(f16).flatten(2)
        trust = torch.softmax(votes[:, -1:], -1)
        source = F.softplus((votes[:, :-1] * trust).sum(-1)).clamp(max=8.0).expm1().view(-1, 3, CODE, CODE)
        light = self.take(torch.log1p(target).flatten(1))[:, :, None, None].expand_as(f16)
        y = self.up8(self.join(torch.cat([f16, light], 1)), f8)
        y = self.up1(self.up2(self.up4(y, f4), f2), x)
        return torch.sigmoid(self.out(y)), source


def plain_losses(network: PlainNetwork, batch: dict[str, Tensor], solid_angles: Tensor) -> dict[str, Tensor]:
    """SIPR's terms over a batch of ``train_relighter``: relit, self (relit to its own light) and light."""
    named = ("image", "target", "alpha", "source_light")
    image, target, alpha, source_light = (batch[name].flatten(0, 1) for name in named)
    frames = batch["image"].shape[1]
    target_light = batch["target_light"].repeat_interleave(frames, 0)
    relit, source = network(image, target_light)
    again, _ = network(image, source)
    return {
        "relit": masked_l1(relit, target, alpha),
        "self": masked_l1(again, image, alpha),
        "light": light_l1(source, source_light, solid_angles),
    }


def plain(network: PlainNetwork) -> Method:
    """The baseline under the contract of training.methods: frame by frame, it knows no other."""

    def relight(images: F32, alphas: F32, light: F32) -> list[F32]:
        code = torch.from_numpy(np.ascontiguousarray(light.transpose(2, 0, 1)))[None]
        with torch.inference_mode():
            pictures = [torch.from_numpy(np.ascontiguousarray(i.transpose(2, 0, 1)))[None] for i in images]
            return [network(picture, code)[0][0].permute(1, 2, 0).numpy() for picture in pictures]

    return relight
