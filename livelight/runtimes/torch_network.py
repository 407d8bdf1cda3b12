"""The relighting network in torch: what training trains, and the slow truth for every other runtime.

After NVPR (ICCV 2021): an encoder-decoder regresses the light of the source picture in its bottleneck; relighting swaps
it for the target light. Past it: the decoder predicts normals, at which both lights are evaluated as diffuse
irradiance and prefiltered gloss; the output is a gain and an offset per pixel, applied to the frame at its full
resolution; convolutional GRUs carry state from frame to frame (as in Robust Video Matting, on half the channels).

All pictures are float32 (n, c, h, w); h and w are multiples of 16. Light codes are (n, 3, 16, 16), linear radiance,
lat-long in the convention of livelight.environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from livelight.runtimes.depth import Depth
from livelight.runtimes.layers import Block, HalfGRU, Up
from livelight.runtimes.light_ball import BALL, CODE, LOBES, light_ball
from livelight.runtimes.occlusion import Occlusion
from livelight.runtimes.person_gain import PersonGain


@dataclass(frozen=True)
class NetworkSize:
    """Channels at 1/2, 1/4, 1/8, 1/16 of the input, of the render branch, and of the light embedding."""

    widths: tuple[int, int, int, int] = (16, 32, 64, 96)
    detail: int = 24
    render: int = 32
    embed: int = 128


SIZES = {
    "S": NetworkSize((16, 24, 40, 64), 16, 16, 96),
    "M": NetworkSize((16, 32, 56, 96), 24, 32, 128),
    "L": NetworkSize((24, 48, 96, 160), 40, 56, 192),
}


class Source(NamedTuple):
    """What the network knows of the picture, before any target light.

    source_light (n, 3, 16, 16) linear; normals (n, 3, h/2, w/2) unit; albedo (n, 3, h/2, w/2) sRGB-coded [0, 1];
    lit, shadow (n, 3, h/2, w/2): log of the source's diffuse shading as the source light gives it at the normals, and
    what must be added to it for what the picture shows (cast shadows, near lamps); matte_logit (n, 1, h, w); deep
    (1/8), mid (1/4) and detail (1/2) features; states of the two GRUs; structure (n, c, h/16, w/16), unit along c,
    NVPR's code of what light does not change, or None in a network without it; small (n, 3, h/8, w/8), the picture;
    arriving (n, k, h/2, w/2), the part of each direction's light that arrives, or None (livelight.runtimes.occlusion).
    """

    source_light: Tensor
    normals: Tensor
    albedo: Tensor
    lit: Tensor
    shadow: Tensor
    matte_logit: Tensor
    deep: Tensor
    mid: Tensor
    detail: Tensor
    state8: Tensor
    state16: Tensor
    structure: Tensor | None
    small: Tensor
    arriving: Tensor | None


class Painting(NamedTuple):
    """What the render branch knows of a picture under a target light.

    shading (n, 9, h/2, w/2): log of the target light at the normals, as ``RelightNetwork.shaded``; coarse (1/8),
    middle (1/4) and fine (1/2) features; person_gain (n, 3, 1, 1), logarithm, or None in a network without it.
    """

    shading: Tensor
    coarse: Tensor
    middle: Tensor
    fine: Tensor
    person_gain: Tensor | None


class RelightNetwork(nn.Module):
    """analyse(image, state) -> Source; render(source, target light) -> gain and offset.

    structure: with NVPR's structure code, which the decoder gets beside the features; person_gain: with a gain for the
    whole person; occlusion: with what keeps light off; depth: with more layers (livelight.runtimes.depth). All begin by
    adding nothing.
    """

    balls: Tensor

    def __init__(
        self, size: NetworkSize, structure: bool = False, person_gain: bool = False, occlusion: bool = False,
        depth: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        c2, c4, c8, c16 = size.widths
        self.size = size
        self.stem = nn.Conv2d(3, c2, 3, 2, 1)
        self.down4 = nn.Sequential(nn.Conv2d(c2, c4, 3, 2, 1), nn.ReLU(), Block(c4))
        self.down8 = nn.Sequential(nn.Conv2d(c4, c8, 3, 2, 1), nn.ReLU(), Block(c8))
        self.down16 = nn.Sequential(nn.Conv2d(c8, c16, 3, 2, 1), nn.ReLU(), Block(c16), Block(c16))
        self.gru16, self.gru8 = HalfGRU(c16), HalfGRU(c8)
        self.light_head = nn.Sequential(nn.Linear(2 * c16, 192), nn.ReLU(), nn.Linear(192, 3 * CODE * CODE))
        self.attention = nn.Conv2d(c16, c16, 1)
        self.up8 = Up(c16, c8, c8)
        self.up4 = Up(c8, c4, c4)
        self.up2 = Up(c4, c2, size.detail)
        self.geometry = nn.Conv2d(size.detail, 9, 3, 1, 1)
        self.matte = nn.Conv2d(size.detail, 4, 3, 1, 1)
        self.embed = nn.Sequential(nn.Linear(3 * CODE * CODE, size.embed), nn.ReLU(), nn.Linear(size.embed, size.embed))
        self.film = nn.Linear(2 * size.embed, 2 * c8)
        self.light8 = Block(c8)
        self.light4 = Up(c8, c4, size.render)
        shading = 15
        self.light2 = Up(size.render, size.detail + shading, size.render)
        self.light2b = nn.Conv2d(size.render, size.render, 3, 1, 1)
        self.out = nn.Conv2d(size.render, 24, 3, 1, 1)
        self.register_buffer("balls", torch.cat([light_ball(e) for e in LOBES]).T.contiguous(), persistent=False)
        self.structure = nn.Conv2d(c16, c16, 1) if structure else None
        self.from_structure = nn.Conv2d(c16, c16, 1) if structure else None
        self.person_gain = PersonGain(c8, size.embed) if person_gain else None
        self.occlusion = Occlusion(c4, size.detail) if occlusion else None
        self.depth = Depth(c4, c8, c16) if depth else None
        self._initialise()

    def _initialise(self) -> None:
        for m in self.modules():
            if isinstance(m, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
                if m.bias is not None:
                    nn.init.zeros_(m.bias)
        for m in (self.out, self.geometry, self.matte, self.film, self.light_head[-1]):
            m.weight.data.mul_(0.1)
        if self.from_structure is not None:
            nn.init.zeros_(self.from_structure.weight)
        if self.person_gain is not None:
            self.person_gain.begin()
        if self.occlusion is not None:
            self.occlusion.begin()
        if self.depth is not None:
            self.depth.begin()

    def start(self, n: int, h: int, w: int) -> tuple[Tensor, Tensor]:
        """Zero states for n pictures of h x w."""
        p = next(self.parameters())
        c8, c16 = self.gru8.c, self.gru16.c
        return p.new_zeros(n, c8, h // 8, w // 8), p.new_zeros(n, c16, h // 16, w // 16)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features at 1/2, 1/4, 1/8 and 1/16 of image (n, 3, h, w), sRGB-coded [0, 1], of this picture alone."""
        f2 = F.relu(self.stem(image - 0.5))
        f4 = self.down4(f2)
        f8 = self.down8(f4)
        return f2, f4, f8, self.deeper("whole", self.down16(f8))

    def structure_code(self, f16: Tensor) -> Tensor | None:
        """Source.structure of ``encode``'s last features."""
        return None if self.structure is None else F.normalize(self.structure(f16), dim=1)

    def analyse(self, image: Tensor, state8: Tensor, state16: Tensor) -> Source:
        """image (n, 3, h, w), sRGB-coded [0, 1]."""
        f2, f4, f8, f16 = self.encode(image)
        structure = self.structure_code(f16)
        f16, state16 = self.gru16(f16, state16)
        source_light = self.light_of(f16)
        if structure is not None and self.from_structure is not None:
            f16 = f16 + self.from_structure(structure)
        d8, state8 = self.gru8(self.deeper("eighth", self.up8(f16, f8)), state8)
        d4 = self.deeper("quarter", self.up4(d8, f4))
        detail = self.up2(d4, f2)
        g = self.geometry(detail)
        normals = torch.cat([g[:, :2], F.softplus(g[:, 2:3]) + 0.02], 1)
        normals = normals * torch.rsqrt((normals * normals).sum(1, keepdim=True))
        arriving = None if self.occlusion is None else self.occlusion(d4, detail)
        return Source(
            source_light,
            normals,
            torch.sigmoid(g[:, 3:6]),
            self.shaded(normals, arriving, source_light)[:, :3],
            g[:, 6:],
            F.pixel_shuffle(self.matte(detail), 2),
            d8,
            d4,
            detail,
            state8,
            state16,
            structure,
            F.avg_pool2d(image, 8),
            arriving,
        )

    def deeper(self, where: str, features: Tensor) -> Tensor:
        """The features after more layers of that name in livelight.runtimes.depth, or as they are without them."""
        if self.depth is None:
            return features
        deep: Tensor = self.depth.get_submodule(where)(features)
        return deep

    def light_of(self, f16: Tensor) -> Tensor:
        """The light (n, 3, 16, 16), linear, under which the picture of these deepest features was taken."""
        weights = torch.softmax(self.attention(f16).flatten(2), -1)
        pooled = torch.cat([(f16.flatten(2) * weights).sum(-1), f16.mean((2, 3))], 1)
        log_light = F.softplus(self.light_head(pooled)).clamp(max=8.0)
        return (torch.exp(log_light) - 1).view(-1, 3, CODE, CODE)

    def shade(self, normals: Tensor, light: Tensor) -> Tensor:
        """Log of a light seen on balls at normals (n, 3, h, w): (n, 9, h, w); channel 3 k + c is lobe k, colour c."""
        balls = torch.log(light.flatten(2) @ self.balls + 0.02).view(-1, 3, len(LOBES), BALL, BALL)
        balls = balls.transpose(1, 2).flatten(1, 2)
        grid = torch.stack([normals[:, 0], -normals[:, 1]], -1)
        return F.grid_sample(balls, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def shaded(self, normals: Tensor, arriving: Tensor | None, light: Tensor) -> Tensor:
        """``shade``, its diffuse lobe less what is kept off."""
        shading = self.shade(normals, light)
        if self.occlusion is None or arriving is None:
            return shading
        return torch.cat([shading[:, :3] + self.occlusion.effect(arriving, normals, light), shading[:, 3:]], 1)

    def paint(self, source: Source, target: Tensor) -> Painting:
        """What the render branch knows of the picture under the target light (n, 3, 16, 16)."""
        both = torch.cat([self.embed(torch.log(1 + t.flatten(1))) for t in (source.source_light, target)], 1)
        film = self.film(both)[:, :, None, None]
        c = source.deep.shape[1]
        f8 = self.deeper("lit", self.light8(F.relu(source.deep * (1 + film[:, :c]) + film[:, c:])))
        f4 = self.light4(f8, source.mid)
        new = self.shaded(source.normals, source.arriving, target)
        shading = torch.cat([source.lit, new, source.shadow], 1).to(f4.dtype)
        f2 = self.light2(f4, torch.cat([source.detail, shading], 1))
        return Painting(new, f8, f4, F.relu(self.light2b(f2) + f2), self.gain_of(source, new[:, :3], both))

    def gain_of(self, source: Source, new: Tensor, lights: Tensor) -> Tensor | None:
        """Painting.person_gain from the target's diffuse shading (n, 3, h/2, w/2) and both lights, embedded."""
        if self.person_gain is None:
            return None
        gain: Tensor = self.person_gain(*whole_person(source, new), lights)
        return gain

    def render(self, source: Source, target: Tensor) -> tuple[Tensor, Tensor]:
        """Gain (n, 3, h, w) > 0 and offset (n, 3, h, w) so that relit = sRGB-coded source * gain + offset."""
        return self.applied(source, self.paint(source, target))

    def applied(self, source: Source, painting: Painting) -> tuple[Tensor, Tensor]:
        """The gain and offset of ``render``."""
        ratio = (painting.shading[:, :3] - source.lit - source.shadow).clamp(-4.0, 4.0)
        out = self.out(painting.fine)
        gain = F.pixel_shuffle(out[:, :12], 2)
        prior = F.interpolate(ratio, scale_factor=2.0, mode="bilinear", align_corners=False) / 2.4
        if painting.person_gain is not None:
            gain = gain + painting.person_gain
        offset = F.pixel_shuffle(out[:, 12:], 2)
        return torch.exp((prior + gain).clamp(-3.0, 2.0)), 0.5 * torch.tanh(offset)

    def forward(self, image: Tensor, light: Tensor, state8: Tensor, state16: Tensor) -> tuple[Tensor, ...]:
        """The exported graph, with the tensors of livelight.runtimes.NetworkOutput.

        image uint8 (n, h, w, 3) sRGB; light (n, 16, 16, 3) linear; states as from ``start``.
        """
        s = self.analyse(image.permute(0, 3, 1, 2).to(light.dtype) / 255, state8, state16)
        gain, offset = self.render(s, light.permute(0, 3, 1, 2))
        last = (0, 2, 3, 1)
        return (
            gain.permute(last),
            offset.permute(last),
            torch.sigmoid(s.matte_logit).squeeze(1),
            s.normals.permute(last),
            s.source_light.permute(last),
            s.state8,
            s.state16,
        )


def whole_person(source: Source, new: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The first arguments of ``PersonGain.forward``. new: the target's diffuse shading (n, 3, h/2, w/2)."""
    halves = torch.cat([source.albedo, source.lit, source.shadow, new], 1)
    return source.deep, source.small, halves, F.avg_pool2d(torch.sigmoid(source.matte_logit.detach()), 8)


def load_network(size: str, weights: Mapping[str, Tensor]) -> RelightNetwork:
    """A network of a named size with the given weights, in evaluation mode."""
    network = RelightNetwork(SIZES[size], **parts_of(weights))
    network.load_state_dict(dict(weights))
    return network.eval()


def parts_of(weights: Mapping[str, object]) -> dict[str, bool]:
    """Which of RelightNetwork's optional parts the names of its weights tell of."""
    return {
        "structure": "structure.weight" in weights,
        "person_gain": "person_gain.last.weight" in weights,
        "occlusion": "occlusion.fine.weight" in weights,
        "depth": "depth.whole.into.weight" in weights,
    }
