"""RelightVid and IC-Light behind the VideoModel contract: both are an SD 1.5 UNet with pictures beside the noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from livelight.errors import RuntimeFailure
from offline.brightnesses import brightnesses
from offline.denoiser import F32, U8, Condition, Plan, Shape, Shot
from offline.guidance import ensemble, guided, zeros_where
from offline.light_tokens import GRID, TOKENS, LightTokens, light_pictures
from offline.samplers import F64, timestep_of
from offline.stable_diffusion import PictureCoder


class NoiseNetwork(Protocol):
    """An epsilon network somewhere: CPU tensors in and out, its own device and type inside."""

    def __call__(self, x: Tensor, t: int, tokens: Tensor) -> Tensor:
        """x (f, c, h, w), timestep, tokens (f, n, width) -> predicted noise (f, 4, h, w), float32."""
        ...

    def flops(self, frames: int, height: int, width: int, tokens: int) -> float: ...

    def speed(self) -> float: ...


@dataclass(frozen=True, slots=True)
class PixelRule:
    """How a model's authors made pictures into numbers: the grey behind the person, and x / half - 1."""

    grey: int
    half: float

    def foreground(self, image: U8, matte: np.ndarray, gain: float) -> Tensor:
        """uint8 (h, w, 3) on grey by its matte (h, w), its brightness scaled: float32 (3, h, w)."""
        a = matte[..., None]
        scaled = np.clip(image * np.float32(gain), 0, 255)
        return self.coded(scaled * a + self.grey * (1 - a))

    def coded(self, image: np.ndarray) -> Tensor:
        """0..255 (h, w, 3) to about [-1, 1]: float32 (3, h, w)."""
        return torch.from_numpy((image.astype(np.float32) / self.half - 1).transpose(2, 0, 1).copy())


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of the network at a step: which conditions it is told of; text is the key of a prompt."""

    pictures: bool
    text: str
    light: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a set of weights was trained for. passes and scales: see offline.guidance.guided. background: whether the
    network has a place for it (12 input channels) or not (8)."""

    name: str
    background: bool
    pixels: PixelRule
    passes: tuple[Pass, ...]
    scales: tuple[float, ...]

    @property
    def channels(self) -> int:
        """Input channels of the network: noise, foreground, and background if there is one, 4 each."""
        return 12 if self.background else 8


class LatentDenoiser:
    """Denoiser over an epsilon network: guidance inside, IIE around it, one noise answer per step."""

    def __init__(
        self,
        network: NoiseNetwork,
        recipe: Recipe,
        trained: F64,
        texts: dict[str, Tensor],
        iie: int,
        tokens: LightTokens | None,
        max_frames: int,
    ) -> None:
        self.max_frames = max_frames
        self._network, self._recipe, self._trained = network, recipe, trained
        self._texts, self._iie, self._tokens = texts, iie, tokens

    @torch.no_grad()
    def __call__(self, x: F32, sigma: float, condition: Condition) -> F32:
        told = {name: torch.from_numpy(values) for name, values in condition.items()}
        noised = torch.from_numpy(x)
        scaled = noised / math.sqrt(1 + sigma * sigma)
        noise = ensemble(lambda k: self._noise(scaled, sigma, told, k), self._iie)
        if not torch.isfinite(noise).all():
            raise RuntimeFailure(
                "the diffusion network returned values that are not finite; choose --precision fp32 or bf16"
            )
        return np.asarray((noised - sigma * noise).numpy())

    def flops(self, frames: int, height: int, width: int) -> float:
        """Operations of one call."""
        tokens = self._texts["none"].shape[1] + (TOKENS if self._tokens else 0)
        once = self._network.flops(frames, height, width, tokens)
        return once * len(self._recipe.passes) * self._iie

    def speed(self) -> float:
        return self._network.speed()

    def _noise(self, x: Tensor, sigma: float, condition: Mapping[str, Tensor], variant: int) -> Tensor:
        t = timestep_of(self._trained, sigma)
        pictures = [condition["foreground"][:, variant]]
        if self._recipe.background:
            pictures.append(condition["background"])
        answers = [
            self._network(
                torch.cat([x, *(zeros_where(not p.pictures, picture) for picture in pictures)], 1),
                t,
                self._words(p, x.shape[0], condition),
            )
            for p in self._recipe.passes
        ]
        return guided(answers, self._recipe.scales)

    def _words(self, p: Pass, frames: int, condition: Mapping[str, Tensor]) -> Tensor:
        """Text tokens of every frame, and the light's beside them."""
        text = self._texts[p.text].expand(frames, -1, -1)
        if self._tokens is None:
            return text
        light = self._tokens(condition["light"])
        return torch.cat([text, zeros_where(not p.light, light)], 1)


class LatentModel:
    """RelightVid or IC-Light as a VideoModel."""

    multiple = 64

    def __init__(
        self,
        recipe: Recipe,
        denoiser: LatentDenoiser,
        coder: PictureCoder,
        plan: Plan,
        fingerprint: str,
        iie: int,
        has_light: bool,
        peak_bytes: int,
    ) -> None:
        self.name, self.fingerprint, self.plan = recipe.name, fingerprint, plan
        self._denoiser, self.peak_bytes = denoiser, peak_bytes
        self._recipe, self._coder, self._iie, self._has_light = recipe, coder, iie, has_light

    @property
    def denoiser(self) -> LatentDenoiser:
        return self._denoiser

    def latent_shape(self, width: int, height: int) -> Shape:
        shrink = self._coder.shrink
        return (self._coder.channels, height // shrink, width // shrink)

    def condition_shapes(self, width: int, height: int) -> dict[str, Shape]:
        latent = self.latent_shape(width, height)
        shapes: dict[str, Shape] = {"foreground": (self._iie, *latent)}
        if self._recipe.background:
            shapes["background"] = latent
        if self._has_light:
            shapes["light"] = (3 * GRID * GRID,)
        return shapes

    def encode(self, shots: Sequence[Shot]) -> dict[str, F32]:
        rule = self._recipe.pixels
        variants = [
            torch.stack([rule.foreground(s.image, s.matte, gain) for s in shots]) for gain in brightnesses(self._iie)
        ]
        conditions = {"foreground": torch.stack([self._coder.encode(v) for v in variants], 1)}
        if self._recipe.background:
            conditions["background"] = self._coder.encode(torch.stack([rule.coded(s.backdrop) for s in shots]))
        if self._has_light:
            conditions["light"] = light_pictures([s.environment for s in shots])
        return {name: values.numpy() for name, values in conditions.items()}

    def decode(self, latents: F32) -> U8:
        pictures = self._coder.decode(torch.from_numpy(latents))
        levels = (pictures * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)
        return np.ascontiguousarray(levels.permute(0, 2, 3, 1).numpy())

    def window_flops(self, width: int, height: int) -> float:
        _, h, w = self.latent_shape(width, height)
        return self.denoiser.flops(self.plan.window, h, w)

    def speed(self) -> float:
        return self.denoiser.speed()
