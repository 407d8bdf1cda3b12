"""RelightVid's network from diffusers' parts: an SD 1.5 UNet with AnimateDiff motion modules and wider input.

Two group norms differ from diffusers, or the result is 18 % off:
- every ResnetBlock2D's norm1 and norm2, and conv_norm_out, take their statistics ACROSS the frames of a window;
- every motion module's first norm takes them PER frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel, UNetMotionModel
from diffusers.models.embeddings import SinusoidalPositionalEmbedding
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D, MotionAdapter
from torch import Tensor, nn

from livelight.errors import RuntimeFailure

MAX_FRAMES = 32
"""Length of the motion modules' position tables: no window may be longer."""


class NormAcrossFrames(nn.GroupNorm):
    """GroupNorm of (frames, c, h, w) whose statistics are those of all frames together: one window is one sample."""

    def forward(self, x: Tensor) -> Tensor:
        together = x.transpose(0, 1).unsqueeze(0)
        normed = F.group_norm(together, self.num_groups, self.weight, self.bias, self.eps)
        return normed.squeeze(0).transpose(0, 1)


class NormPerFrame(nn.GroupNorm):
    """GroupNorm of (batch, c, frames, h, w) whose statistics are those of each frame by itself."""

    def forward(self, x: Tensor) -> Tensor:
        b, c, f, h, w = x.shape
        apart = x.transpose(1, 2).reshape(b * f, c, h, w)
        normed = F.group_norm(apart, self.num_groups, self.weight, self.bias, self.eps)
        return normed.view(b, f, c, h, w).transpose(1, 2)


def _as(kind: type[nn.GroupNorm], norm: nn.GroupNorm) -> nn.GroupNorm:
    """The same parameters under another rule."""
    new = kind(norm.num_groups, norm.num_channels, norm.eps, device="meta")
    new.weight, new.bias = norm.weight, norm.bias
    return new


def correct_norms(unet: UNetMotionModel) -> tuple[int, int]:
    """Put both rules in place; returns how many norms work across frames (SD 1.5: 45) and per frame (20)."""
    across = apart = 0
    for module in unet.modules():
        if isinstance(module, ResnetBlock2D):
            module.norm1, module.norm2 = _as(NormAcrossFrames, module.norm1), _as(NormAcrossFrames, module.norm2)
            across += 2
        elif isinstance(module, AnimateDiffTransformer3D):
            module.norm = _as(NormPerFrame, module.norm)
            apart += 1
    unet.conv_norm_out = _as(NormAcrossFrames, unet.conv_norm_out)
    return across + 1, apart


def empty_motion_unet(config: Mapping[str, Any], in_channels: int) -> UNetMotionModel:
    """The network without weights, on the meta device. config: the base UNet's config.json."""
    with torch.device("meta"):
        plain = UNet2DConditionModel.from_config(dict(config) | {"in_channels": in_channels})
        adapter = MotionAdapter(
            block_out_channels=tuple(plain.config["block_out_channels"]),
            motion_layers_per_block=plain.config["layers_per_block"],
            motion_norm_num_groups=plain.config["norm_num_groups"],
            motion_max_seq_length=MAX_FRAMES,
            use_motion_mid_block=False,
        )
        unet = UNetMotionModel.from_unet2d(plain, adapter, load_weights=False)
    correct_norms(unet)
    return unet.eval()


def filled(network: nn.Module, weights: Mapping[str, Tensor], dtype: torch.dtype) -> Any:
    """A network from the meta device with its weights and computed tables; raises RuntimeFailure for a misfit."""
    tables = {f"{name}.pe": m for name, m in network.named_modules() if isinstance(m, SinusoidalPositionalEmbedding)}
    given = {name: tensor.to(dtype) for name, tensor in weights.items()}
    for name, module in tables.items():
        with torch.device("cpu"):
            fresh = SinusoidalPositionalEmbedding(module.pe.shape[2], module.pe.shape[1])
        given[name] = fresh.pe.to(dtype)
    check_fit(network.state_dict(), given)
    network.load_state_dict(given, assign=True)
    return network.eval().requires_grad_(False)


def check_fit(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Raise RuntimeFailure, with one example, unless every parameter is there in its shape and none is left over."""
    missing, surplus = [n for n in wanted if n not in given], [n for n in given if n not in wanted]
    shapes = [n for n in wanted if n in given and wanted[n].shape != given[n].shape]
    if not (missing or surplus or shapes):
        return
    example = (missing or surplus or shapes)[0]
    raise RuntimeFailure(
        f"These weights do not fit together: of {len(wanted)} parameters {len(missing)} are missing, {len(shapes)} "
        f"have another shape, and {len(surplus)} are not known (such as {example}); expected Stable Diffusion 1.5 in "
        "the diffusers layout with RelightVid's and IC-Light's files made for it."
    )
