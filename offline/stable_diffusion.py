"""The parts of Stable Diffusion 1.5 around its UNet: pictures to latents and back, and text to tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from safetensors import SafetensorError
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from livelight.errors import RuntimeFailure
from offline.weight_files import located, read_weights

TILED_FROM = 768 * 768
"""Pixels from which pictures go through the VAE in tiles."""

UNET_FILES = tuple(f"unet/diffusion_pytorch_model{kind}" for kind in (".safetensors", ".fp16.safetensors", ".bin"))
_BROKEN = (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError)


class PictureCoder:
    """The VAE: pictures float32 (n, 3, h, w) in [-1, 1] to scaled latents (n, 4, h/8, w/8) and back, one at a time."""

    def __init__(self, vae: AutoencoderKL, device: str) -> None:
        self._vae = vae.eval().requires_grad_(False)
        self._device = device
        self.shrink = 2 ** (len(vae.config["block_out_channels"]) - 1)
        self.channels = int(vae.config["latent_channels"])
        self._scale = float(vae.config["scaling_factor"])

    @property
    def network(self) -> torch.nn.Module:
        return self._vae

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """The mean of the posterior, scaled, float32 on the CPU."""
        self._prepare(pictures.shape[2] * pictures.shape[3])
        latents = [self._vae.encode(self._there(p)).latent_dist.mode() for p in pictures]
        return (torch.cat(latents) * self._scale).float().cpu()

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Pictures, float32 on the CPU, not clipped."""
        self._prepare(latents.shape[2] * latents.shape[3] * self.shrink**2)
        pictures = [self._vae.decode(self._there(x) / self._scale).sample for x in latents]
        return torch.cat(pictures).float().cpu()

    def _prepare(self, pixels: int) -> None:
        self._vae.to(self._device)
        if pixels > TILED_FROM:
            self._vae.enable_tiling()
        else:
            self._vae.disable_tiling()

    def _there(self, one: Tensor) -> Tensor:
        return one[None].to(self._device, self._vae.dtype)


class TextCoder:
    """CLIP: a prompt to (1, 77, width) tokens, float32 on the CPU."""

    def __init__(self, tokenizer: CLIPTokenizer, network: CLIPTextModel) -> None:
        self._tokenizer = tokenizer
        self.network = network.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, prompt: str) -> Tensor:
        length = self.network.config.max_position_embeddings
        given = self._tokenizer(
            prompt, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        ).input_ids
        return self.network(given).last_hidden_state.float()


def load_vae(base: str, dtype: torch.dtype, device: str) -> PictureCoder:
    """From the ``vae`` folder of a diffusers model. Raises RuntimeFailure."""
    vae = _load(AutoencoderKL, base, "vae", "the VAE", torch_dtype=dtype)
    return PictureCoder(vae, device)


def load_text(base: str) -> TextCoder:
    """From the ``tokenizer`` and ``text_encoder`` folders of a diffusers model. Raises RuntimeFailure."""
    tokenizer = _load(CLIPTokenizer, base, "tokenizer", "the tokenizer")
    return TextCoder(tokenizer, _load(CLIPTextModel, base, "text_encoder", "the text encoder", dtype=torch.float32))


def load_unet(base: str) -> tuple[dict[str, Any], dict[str, Tensor], Path]:
    """Configuration, weights and file of the ``unet`` folder of a diffusers model. Raises RuntimeFailure."""
    config = located(base, ("unet/config.json",), "the base model's unet/config.json (diffusers layout)")
    file = located(base, UNET_FILES, "the base model's UNet weights")
    try:
        return json.loads(config.read_text()), read_weights(file), file
    except (OSError, ValueError) as exc:
        raise RuntimeFailure(f"{config} cannot be read ({exc}); download the base model again.") from exc


def _load(kind: Any, base: str, folder: str, what: str, **options: Any) -> Any:
    path = Path(base).expanduser()
    place, more = (str(path / folder), {}) if path.is_dir() else (base, {"subfolder": folder})
    if path.is_dir() and not (path / folder).is_dir():
        raise RuntimeFailure(f"{base} lacks {what}; expected a folder {folder} in it (the diffusers layout).")
    try:
        return kind.from_pretrained(place, **more, **options)
    except _BROKEN as exc:
        reason = str(exc).splitlines()[0]
        raise RuntimeFailure(f"{what} of {base} cannot be loaded: {reason}; check the base model.") from exc
