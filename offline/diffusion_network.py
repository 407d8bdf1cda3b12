"""Our own video diffusion relighter in torch: what is trained, and the truth for the graph that ships.

A frozen copy of the live relighter looks at every frame: its features, normals, albedo, the light it sees and its own
relit picture, the base, are what the diffusion network is told. What is denoised is how the picture must differ from
that base, as a soft logarithm: relit = (base + SOFT) * exp(SPREAD * z) - SOFT, sRGB-coded, z (3, h/2, w/2) per frame.
z = 0 is the live relighter; multiplying keeps pores and hair, and SOFT lets light fall on what was black. Temporal
layers mix frames at three scales; they start as the identity, as does the whole network.

The noise is "variance exploding", preconditioned as in Karras et al. 2022 (table 1, sigma_data = 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from livelight.runtimes.light_ball import CODE, code_directions
from livelight.runtimes.torch_network import Painting, RelightNetwork, Source
from offline.exposure_head import ExposureHead, bases_of, maps_of, statistics
from offline.level import SOFT, SPREAD

LIMIT = 2.5
"""Largest |log gain| that a denoised picture may ask for."""


@dataclass(frozen=True)
class DiffusionSize:
    """One number scales the network. width: a multiple of 8; every level's channels follow from it.

    24 is what two CPU cores can train; 96 or 128 is for a data-centre card. depth: residual blocks per level.
    """

    width: int = 24
    depth: int = 1

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """At 1/2, 1/4, 1/8 and 1/16."""
        w = self.width
        return w // 2 + 4, 2 * w + 8, 4 * w, 5 * w + 8


def groups_of(channels: int) -> int:
    return math.gcd(channels, 8)


class TemporalMix(nn.Module):
    """A convolution over three neighbouring frames, the same at every pixel; the identity until it is trained."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3 * c, c, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Tensor, clips: int) -> Tensor:
        """x: (clips * frames, c, h, w), frames of a clip one after the other."""
        clip = x.unflatten(0, (clips, -1)) if clips > 1 else x[None]
        before = torch.cat([clip[:, :1], clip[:, :-1]], 1)
        after = torch.cat([clip[:, 1:], clip[:, -1:]], 1)
        return x + self.mix(F.silu(torch.cat([before, clip, after], 2).flatten(0, 1)))


class ResBlock(nn.Module):
    """Two normalised 3x3 convolutions; noise level and light scale and shift between them; then neighbouring frames."""

    def __init__(self, c: int, known: int, temporal: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups_of(c), c), nn.GroupNorm(groups_of(c), c)
        self.a, self.b = nn.Conv2d(c, c, 3, 1, 1), nn.Conv2d(c, c, 3, 1, 1)
        self.film = nn.Linear(known, 2 * c)
        self.temporal = TemporalMix(c) if temporal else None
        nn.init.zeros_(self.b.weight)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, known: Tensor, clips: int) -> Tensor:
        scale, shift = self.film(known)[:, :, None, None].chunk(2, 1)
        y = self.norm2(self.a(F.silu(self.norm1(x)))) * (1 + scale) + shift
        x = x + self.b(F.silu(y))
        return x if self.temporal is None else self.temporal(x, clips)


class LightTokens(nn.Module):
    """A light as 64 tokens: tone-mapped (LDR), logarithmic and direction maps, as HDR maps are told to networks."""

    directions: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(9, width, 3, 1, 1), nn.Conv2d(width, width, 3, 2, 1)
        directions = code_directions().T.reshape(1, 3, CODE, CODE).contiguous()
        self.register_buffer("directions", directions, persistent=False)

    def forward(self, light: Tensor) -> Tensor:
        """light (n, 3, 16, 16) linear -> (n, 64, width)."""
        ldr = (light / (1 + light)) ** (1 / 2.2)
        log = torch.log(1 + light) / math.log(1 + 100.0)
        maps = torch.cat([ldr, log, self.directions.expand(light.shape[0], -1, -1, -1)], 1)
        return F.silu(self.second(F.silu(self.first(maps)))).flatten(2).transpose(1, 2)


class LightAttention(nn.Module):
    """Every place asks the light for what matters to it; the identity until it is trained."""

    def __init__(self, c: int, tokens: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(groups_of(c), c)
        self.ask, self.key, self.value = nn.Conv2d(c, c, 1), nn.Linear(tokens, c), nn.Linear(tokens, c)
        self.out = nn.Conv2d(c, c, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        n, c, h, w = x.shape
        m, each = tokens.shape[1], c // self.heads
        q = self.ask(self.norm(x)).view(n, self.heads, each, h * w).transpose(2, 3)
        k = self.key(tokens).view(n, m, self.heads, each).permute(0, 2, 3, 1)
        v = self.value(tokens).view(n, m, self.heads, each).transpose(1, 2)
        seen = torch.softmax(q @ k / math.sqrt(each), -1) @ v
        return x + self.out(seen.transpose(2, 3).reshape(n, c, h, w))


class ResidualUNet(nn.Module):
    """The trained part: noisy z, what the base network knows, light and noise level -> its raw answer, of z's shape."""

    def __init__(self, size: DiffusionSize, base: RelightNetwork) -> None:
        super().__init__()
        c2, c4, c8, c16 = size.channels
        b = base.size
        _, b4, b8, _ = b.widths
        known, token = 8 * size.width, 2 * size.width + 16
        self.noise = nn.Sequential(nn.Linear(16, known), nn.SiLU(), nn.Linear(known, known))
        self.lights = nn.Sequential(nn.Linear(6 * CODE * CODE, known), nn.SiLU(), nn.Linear(known, known))
        self.tokens = LightTokens(token)
        self.pictures = nn.Conv2d(13, c2, 3, 1, 1)
        self.physics = nn.Conv2d(b.detail + b.render + 21, c2, 1)
        self.down4, self.known4 = nn.Conv2d(c2, c4, 3, 2, 1), nn.Conv2d(b4 + b.render, c4, 1)
        self.down8, self.known8 = nn.Conv2d(c4, c8, 3, 2, 1), nn.Conv2d(2 * b8, c8, 1)
        self.down16 = nn.Conv2d(c8, c16, 3, 2, 1)

        def blocks(c: int, count: int, temporal: bool = True) -> nn.ModuleList:
            return nn.ModuleList([ResBlock(c, known, temporal) for _ in range(count * size.depth)])

        self.in4, self.in8, self.middle = blocks(c4, 1), blocks(c8, 1), blocks(c16, 2)
        self.attention = LightAttention(c16, token)
        self.attention8 = LightAttention(c8, token)
        self.up8, self.up4, self.up2 = nn.Conv2d(c16, c8, 1), nn.Conv2d(c8, c4, 1), nn.Conv2d(c4, c2, 1)
        self.out8, self.out4, self.out2 = blocks(c8, 1), blocks(c4, 1), blocks(c2, 1, temporal=False)
        self.norm = nn.GroupNorm(groups_of(c2), c2)
        self.answer = nn.Conv2d(c2, 3, 3, 1, 1)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(self, x: Tensor, level: Tensor, told: Told, light: Tensor, clips: int) -> Tensor:
        """x: (n, 3, h/2, w/2), scaled; level: (n,) or (1,), a quarter of log sigma; light: (n, 3, 16, 16)."""
        s, p = told.source, told.painting
        waves = level[:, None] * torch.exp(torch.arange(8, device=x.device) * 0.5)
        known = self.noise(torch.cat([torch.sin(waves), torch.cos(waves)], 1))
        codes = torch.cat([torch.log(1 + c.flatten(1)) for c in (s.source_light, light)], 1)
        known = F.silu(known + self.lights(codes))
        tokens = self.tokens(light)
        seen = torch.cat([told.image - 0.5, told.base - 0.5, told.gain - 1, torch.sigmoid(s.matte_logit)], 1)
        pictures = torch.cat([x, F.avg_pool2d(seen, 2)], 1)
        physics = torch.cat([s.detail, p.fine, s.normals, s.albedo, s.lit, s.shadow, p.shading], 1)
        f2 = self.pictures(pictures) + self.physics(physics)
        f4 = through(self.in4, self.down4(F.silu(f2)) + self.known4(torch.cat([s.mid, p.middle], 1)), known, clips)
        f8 = through(self.in8, self.down8(F.silu(f4)) + self.known8(torch.cat([s.deep, p.coarse], 1)), known, clips)
        f8 = self.attention8(f8, tokens)
        f16 = self.attention(self.down16(F.silu(f8)), tokens)
        f16 = through(self.middle, f16, known, clips)
        f8 = through(self.out8, f8 + twice(self.up8(f16)), known, clips)
        f4 = through(self.out4, f4 + twice(self.up4(f8)), known, clips)
        f2 = through(self.out2, f2 + twice(self.up2(f4)), known, clips)
        return self.answer(F.silu(self.norm(f2)))


def through(blocks: nn.ModuleList, x: Tensor, known: Tensor, clips: int) -> Tensor:
    for block in blocks:
        x = block(x, known, clips)
    return x


def twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


@dataclass(frozen=True)
class Told:
    """What the base network says of some frames under their lights. image, base: (n, 3, h, w), sRGB-coded, [0, 1].

    matte: (n, 1, h/2, w/2) in [0, 1]. gain, offset: (n, 3, h, w), of the base. source, painting: see
    livelight.runtimes.torch_network.
    """

    matte: Tensor
    image: Tensor
    base: Tensor
    gain: Tensor
    offset: Tensor
    source: Source
    painting: Painting


class DiffusionNetwork(nn.Module):
    """The frozen base and the trained network. Called with frames of one or several clips, all pictures of one size."""

    def __init__(self, size: DiffusionSize, base: RelightNetwork) -> None:
        super().__init__()
        self.size = size
        self.base = base.eval().requires_grad_(False)
        self.unet = ResidualUNet(size, base)
        self.exposure = ExposureHead(base)

    def look(self, image: Tensor, matte: Tensor, light: Tensor, state8: Tensor, state16: Tensor) -> Told:
        """image (n, 3, h, w) sRGB-coded [0, 1], matte (n, 1, h/2, w/2), light (n, 3, 16, 16), states before a frame."""
        with torch.no_grad():
            source = self.base.analyse(image, state8, state16)
            painting = self.base.paint(source, light)
            gain, offset = self.base.applied(source, painting)
            return Told(matte, image, (image * gain + offset).clamp(0, 1), gain, offset, source, painting)

    def denoise(self, x: Tensor, sigma: Tensor, told: Told, light: Tensor, clips: int) -> Tensor:
        """The clean estimate of z. sigma: (n, 1, 1, 1) or (1, 1, 1, 1), > 0. clips: n / clips frames belong together.

        With as many clips as frames every frame is by itself, its own neighbour: no temporal layer mixes anything.
        """
        guess = self.guess(told, light)
        trust = self.exposure.trust.view(1, 3, 1, 1)
        return self.corrected(x - guess, sigma, told, light, clips) * trust + guess

    def guess(self, told: Told, light: Tensor) -> Tensor:
        """The part of z that the statistics of a whole person tell."""
        s, p = told.source, told.painting
        maps = maps_of(told.image, told.base, told.gain, told.offset, s, p)
        known = statistics(maps, told.matte, s.source_light, light)
        return self.exposure(known, bases_of(told.base, s, p)) / SPREAD

    def corrected(self, x: Tensor, sigma: Tensor, told: Told, light: Tensor, clips: int) -> Tensor:
        """What the trained network adds to the guess, of which x is a noisy one."""
        scale = torch.rsqrt(1 + sigma * sigma)
        # Fainter than Karras et al. have it: where there is nothing but noise, it need not be looked at.
        faint = x * scale / sigma.clamp(min=1.0)
        raw = self.unet(faint, torch.log(sigma).flatten() / 4, told, light, clips)
        clean = x * scale * scale + raw * sigma * scale
        return clean.clamp(-LIMIT / SPREAD, LIMIT / SPREAD)

    def forward(
        self, x: Tensor, sigma: Tensor, image: Tensor, matte: Tensor, light: Tensor, state8: Tensor, state16: Tensor
    ) -> Tensor:
        """The exported graph: a window of one clip, the clean estimate of its ``level``, of which x is a noisy one.

        x (f, 3, h/2, w/2); sigma (1,); image (f, 3, h, w), matte (f, 1, h/2, w/2) in [0, 1]; light (f, 3, 16, 16);
        the states before each frame. Answers are levels, so that those to several views of a frame can be averaged.
        """
        told = self.look(image, matte, light, state8, state16)
        base = level(told.base)
        return self.denoise(x - base, sigma.view(1, 1, 1, 1), told, light, 1) + base


def difference(base: Tensor, wanted: Tensor) -> Tensor:
    """z that brings base to what is wanted, both (n, 3, h, w), sRGB-coded in [0, 1]."""
    return level(wanted) - level(base)


def level(picture: Tensor) -> Tensor:
    """Soft logarithm (n, 3, h/2, w/2) of a picture (n, 3, h, w), sRGB-coded in [0, 1]; z is a difference of two."""
    return torch.log(F.avg_pool2d(picture, 2) + SOFT) / SPREAD


def applied(base: Tensor, z: Tensor) -> Tensor:
    """The relit picture (n, 3, h, w); ``difference`` undone, but for what is finer than z."""
    fine = F.interpolate(z, scale_factor=2.0, mode="bilinear", align_corners=False)
    return (base + SOFT) * torch.exp(SPREAD * fine) - SOFT
