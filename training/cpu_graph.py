"""The relighting network arranged for CPUs: the same function of the same weights, with a third less arithmetic.

A 3x3 convolution over a picture that was doubled by repetition needs, at each of the four places of a doubled pixel,
only 2x2 sums of its weights: together a 4x4 transposed convolution with stride 2. A convolution over joined pictures is
a sum of convolutions, so nothing is joined. Both lights are read from the balls at once, and only as far as needed.
What is computed from weights alone, the engines compute once, when they load the file.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from livelight.runtimes.light_ball import BALL, LOBES
from livelight.runtimes.torch_network import RelightNetwork, parts_of

DOUBLED = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
"""(4, 3): rows of a transposed kernel, from those of a kernel that slides over the doubled picture."""


def joined(conv: nn.Conv2d, doubled: Tensor, *others: Tensor) -> Tensor:
    """``conv`` (3x3) over ``doubled`` twice as large, nearest, joined with ``others``; all (n, c, h, w)."""
    at = doubled.shape[1]
    kernel = (DOUBLED @ conv.weight[:, :at] @ DOUBLED.T).transpose(0, 1)
    out = F.conv_transpose2d(doubled, kernel, conv.bias, stride=2, padding=1)
    for other in others:
        out = out + F.conv2d(other, conv.weight[:, at : at + other.shape[1]], padding=1)
        at += other.shape[1]
    return out


def wider(conv: nn.Conv2d, *more: nn.Conv2d, to: int) -> tuple[Tensor, Tensor]:
    """Weight and bias of several convolutions of the same picture as one, and of zeros up to ``to`` channels."""
    weight, bias = torch.cat([c.weight for c in (conv, *more)]), torch.cat([c.bias for c in (conv, *more)])
    rest = to - weight.shape[0]
    return F.pad(weight, (0, 0, 0, 0, 0, 0, 0, rest)), F.pad(bias, (0, rest))


def by_place(channels: int) -> Tensor:
    """Where the channels of a picture that pixel_shuffle will double stand, so that those of one pixel lie together."""
    return torch.arange(4 * channels).view(channels, 4).T.flatten()


def twice() -> Tensor:
    """(12, 3, 3, 3): three channels of an edge-padded picture to those of it twice as large, bilinear, by_place."""
    row = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]])
    kernel = torch.einsum("ay,bx->abyx", row, row).view(4, 1, 1, 3, 3)
    return (kernel * torch.eye(3).view(1, 3, 3, 1, 1)).reshape(12, 3, 3, 3)


def spread(packed: Tensor) -> Tensor:
    """(n, 4 c, h, w) by_place -> (n, 2 h, 2 w, c)."""
    n, c, h, w = packed.shape
    pixels = packed.permute(0, 2, 3, 1).reshape(n, h, w, 2, 2, c // 4)
    return pixels.permute(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, c // 4)


class CpuGraph(RelightNetwork):
    """RelightNetwork.forward, its weights under the same names. For pictures one at a time, without gradients."""

    flip: Tensor
    twice: Tensor
    order: Tensor
    same: Tensor

    def __init__(self, network: RelightNetwork) -> None:
        weights = network.state_dict()
        super().__init__(network.size, **parts_of(weights))
        self.load_state_dict(weights)
        self.register_buffer("flip", torch.tensor([1.0, -1.0, 1.0]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("twice", F.pad(twice() / 2.4, (0, 0, 0, 0, 0, 0, 0, 12)), persistent=False)
        same = torch.eye(network.size.render)[..., None, None]
        self.register_buffer("same", F.pad(same, (1, 1, 1, 1)), persistent=False)
        self.register_buffer("order", torch.cat([by_place(3), 12 + by_place(3)]), persistent=False)

    def forward(self, image: Tensor, light: Tensor, state8: Tensor, state16: Tensor) -> tuple[Tensor, ...]:
        x = (image.to(light.dtype) / 255).permute(0, 3, 1, 2)
        f2 = F.relu(self.stem(x - 0.5))
        f4 = self.down4(f2)
        f8 = self.down8(f4)
        f16 = self.deeper("whole", self.down16(f8))
        structure = self.structure_code(f16)
        f16, state16 = self.gru16(f16, state16)
        source_light, target = self.light_of(f16), light.permute(0, 3, 1, 2)
        if structure is not None and self.from_structure is not None:
            f16 = f16 + self.from_structure(structure)
        d8, state8 = self.gru8(self.deeper("eighth", F.relu(joined(self.up8.conv, f16, f8))), state8)
        d4 = self.deeper("quarter", F.relu(joined(self.up4.conv, d8, f4)))
        detail = F.relu(joined(self.up2.conv, d4, f2))
        # 13 channels cost as much as 16, and less evenly.
        heads = F.conv2d(detail, *wider(self.geometry, self.matte, to=16), padding=1)
        normals = torch.cat([heads[:, :2], F.softplus(heads[:, 2:3]) + 0.02], 1)
        normals = normals * torch.rsqrt((normals * normals).sum(1, keepdim=True))
        shading, shadow = self.shading(normals, source_light, target), heads[:, 6:9]
        if self.occlusion is not None:
            lights = torch.cat([source_light, target], 1)
            lost = self.occlusion.effect(self.occlusion(d4, detail), normals, lights)
            shading = torch.cat([shading[:, :6] + lost, shading[:, 6:]], 1)
        both = torch.cat([self.embed(torch.log(1 + t.flatten(1))) for t in (source_light, target)], 1)
        g4 = F.relu(joined(self.light4.conv, self.lit(d8, both), d4))
        g2 = F.relu(joined(self.light2.conv, g4, torch.cat([detail, shading, shadow], 1)))
        g2 = F.relu(F.conv2d(g2, self.light2b.weight + self.same, self.light2b.bias, padding=1))
        ratio = (shading[:, 3:6] - shading[:, :3] - shadow).clamp(-4.0, 4.0)
        if self.person_gain is not None:
            halves = torch.cat([torch.sigmoid(heads[:, 3:6]), shading[:, :3], shadow, shading[:, 3:6]], 1)
            matte = F.avg_pool2d(torch.sigmoid(heads[:, 9:13]).mean(1, keepdim=True), 4)
            whole = self.person_gain(d8, F.avg_pool2d(x, 8), halves, matte, both)
            ratio = ratio + 2.4 * whole
        gain, offset = self.head(g2, ratio)
        return (
            gain,
            offset,
            torch.sigmoid(spread(heads[:, 9:13])).squeeze(-1),
            normals.permute(0, 2, 3, 1),
            source_light.permute(0, 2, 3, 1),
            state8,
            state16,
        )

    def shading(self, normals: Tensor, source: Tensor, target: Tensor) -> Tensor:
        """``shade`` of the source light, its diffuse lobe, then all of the target light: (n, 12, h, w)."""
        diffuse = self.on_balls(source, self.balls[:, : BALL * BALL], 1)
        balls = torch.cat([diffuse, self.on_balls(target, self.balls, len(LOBES))], 1)
        grid = (normals * self.flip)[:, :2].permute(0, 2, 3, 1)
        return F.grid_sample(balls, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def on_balls(self, light: Tensor, balls: Tensor, lobes: int) -> Tensor:
        """Log of a light on the balls of its first lobes, (n, 3 lobes, BALL, BALL)."""
        seen = torch.log(light.flatten(2) @ balls + 0.02).view(-1, 3, lobes, BALL, BALL)
        return seen.transpose(1, 2).flatten(1, 2)

    def lit(self, deep: Tensor, lights: Tensor) -> Tensor:
        """The deep features under the target light; lights: both, embedded."""
        film = self.film(lights)[:, :, None, None]
        c = deep.shape[1]
        return self.deeper("lit", self.light8(F.relu(deep * (1 + film[:, :c]) + film[:, c:])))

    def head(self, features: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
        """Gain and offset, (n, h, w, 3). ratio: (n, 3, h/2, w/2), log of new over old shading."""
        packed = F.conv2d(features, self.out.weight[self.order], self.out.bias[self.order], padding=1)
        packed = packed + F.conv2d(F.pad(ratio, (1, 1, 1, 1), mode="replicate"), self.twice)
        gain = torch.exp(packed[:, :12].clamp(-3.0, 2.0))
        return spread(gain), spread(torch.sigmoid(2 * packed[:, 12:]) - 0.5)
