"""The two epsilon networks as plain functions of CPU tensors, wherever they are placed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.hooks import apply_group_offloading
from torch import Tensor

from livelight.errors import RuntimeFailure
from offline.memory import Placing
from offline.motion_unet import filled
from offline.speed import forward_flops, speed_of


class PlacedNetwork:
    """A UNet on its device, or brought there group by group."""

    def __init__(self, unet: Any, device: str, dtype: torch.dtype, placing: Placing) -> None:
        self._unet, self._device, self._dtype = unet, device, dtype
        if placing == "by groups":
            apply_group_offloading(
                unet, onload_device=torch.device(device), offload_device=torch.device("cpu"), offload_type="leaf_level"
            )
        else:
            unet.to(device)

    def _forward(self, x: Tensor, t: int, tokens: Tensor) -> Tensor:
        there = {"device": self._device, "dtype": self._dtype}
        try:
            answer = self._unet(x.to(**there), t, encoder_hidden_states=tokens.to(**there), return_dict=False)[0]
        except torch.OutOfMemoryError as exc:
            raise RuntimeFailure(
                "the device ran out of memory; give a smaller --window or --size, or close other programs, and run the "
                "same command again: it goes on where it was"
            ) from exc
        return answer.float().cpu()

    def flops(self, frames: int, height: int, width: int, tokens: int) -> float:
        """Operations of one call on latents of this size."""
        return forward_flops(self._unet, frames, height, width, tokens)

    def speed(self) -> float:
        return speed_of(self._device, self._dtype)


class ClipNetwork(PlacedNetwork):
    """A window at once: x (f, c, h, w) -> noise (f, 4, h, w)."""

    def __call__(self, x: Tensor, t: int, tokens: Tensor) -> Tensor:
        return self._forward(x.transpose(0, 1)[None], t, tokens)[0].transpose(0, 1)


class FrameNetwork(PlacedNetwork):
    """Every frame by itself: x (f, c, h, w) -> noise (f, 4, h, w)."""

    def __call__(self, x: Tensor, t: int, tokens: Tensor) -> Tensor:
        return self._forward(x, t, tokens)


def image_unet(config: Mapping[str, Any], weights: Mapping[str, Tensor], channels: int, dtype: torch.dtype) -> Any:
    """An SD 1.5 UNet with wider input. Raises RuntimeFailure for weights that do not fit."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(dict(config) | {"in_channels": channels})
    return filled(unet, weights, dtype)
