"""How much a network computes, and how fast a device does."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

TRIAL_S = 0.3


def forward_flops(unet: Any, frames: int, height: int, width: int, tokens: int) -> float:
    """Operations of one forward pass on latents of ``frames`` x ``height`` x ``width``, counted without running it."""
    moving = hasattr(unet.config, "motion_max_seq_length")
    with torch.device("meta"):
        double = type(unet).from_config(unet.config)
        shape = (1, unet.config.in_channels, frames, height, width)
        x = torch.empty(shape if moving else (frames, unet.config.in_channels, height, width))
        words = torch.empty(frames, tokens, _width(unet))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        double(x, torch.zeros(1, dtype=torch.int64, device="meta"), encoder_hidden_states=words)
    return float(counter.get_total_flops())


def _width(unet: Any) -> int:
    width = unet.config.cross_attention_dim
    return int(width if isinstance(width, int) else width[0])


def speed_of(device: str, dtype: torch.dtype) -> float:
    """Operations a second, tried on a convolution of the network's most frequent shape. Rough: a factor of two."""
    conv = torch.nn.Conv2d(320, 320, 3, padding=1).to(device, dtype)
    x = torch.zeros(1, 320, 64, 64, device=device, dtype=dtype)
    flops_each = 2 * 9 * 320 * 320 * 64 * 64
    with torch.no_grad():
        conv(x)
        count, started = 0, time.monotonic()
        while time.monotonic() - started < TRIAL_S:
            conv(x)
            if device == "cuda":
                torch.cuda.synchronize()
            count += 1
    return count * flops_each / (time.monotonic() - started)
