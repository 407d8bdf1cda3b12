"""How a model is placed by the memory that is free: whole, or group by group; and words when nothing fits.

The text encoder always runs on the CPU, once per run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

import torch

from livelight.errors import RuntimeFailure, SettingsError

GB = 1e9
Placing = Literal["whole", "by groups"]

ACTIVATION_BYTES = 34_000
"""Peak bytes per latent pixel and frame of an SD 1.5 forward pass, fp32; half of it in 16 bits
(counted: python -m tests.offline.activation_memory)."""

RESERVE = 1.15
"""Estimates are multiplied by this: allocators round up."""


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes of the networks' weights, and what one window looks like. latent_pixels: h/8 * w/8 of one frame."""

    unet: int
    vae: int
    bytes_per_value: int
    frames: int
    latent_pixels: int

    @property
    def activations(self) -> int:
        return ACTIVATION_BYTES * self.bytes_per_value // 4 * self.frames * self.latent_pixels

    def peak(self, placing: Placing) -> int:
        """Bytes on the device at the worst moment."""
        unet = self.unet if placing == "whole" else self.unet // 8
        return round(RESERVE * (unet + self.vae + self.activations))


def free_memory(device: str) -> int:
    """Bytes that are free now on "cpu" or "cuda"."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    try:
        with open("/proc/meminfo") as file:
            rows = dict(line.split(":", 1) for line in file)
        return int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def choose_placing(need: Need, free: int, device: str) -> Placing:
    """The fastest placing that fits. Raises RuntimeFailure that says what would fit.

    On a CPU there is nowhere to offload to: whole or not at all.
    """
    ways: tuple[Placing, ...] = ("whole",) if device == "cpu" else ("whole", "by groups")
    for placing in ways:
        if need.peak(placing) <= free:
            return placing
    raise RuntimeFailure(
        f"too little memory: this run needs about {need.peak(ways[-1]) / GB:.1f} GB on {device}, {free / GB:.1f} GB "
        f"are free; {_what_fits(need, free, ways[-1])}"
    )


def _what_fits(need: Need, free: int, placing: Placing) -> str:
    weights = need.peak(placing) - round(RESERVE * need.activations)
    room = free - weights
    if room > 0:
        share = room / (RESERVE * need.activations)
        frames = int(need.frames * share)
        if frames >= 4:
            return f"--window {frames} would fit (--overlap at most {frames - 1})."
        side = int((64 * need.latent_pixels * share) ** 0.5 * min(1, need.frames / 8) ** 0.5) // 64 * 64
        if side >= 256:
            return f"--size {side}x{side} with --window {min(need.frames, 8)} would fit."
    if need.bytes_per_value == 4:
        return "--precision bf16 needs half as much; or close other programs."
    return "close other programs, or use a machine with more memory."


def chosen_device(name: str) -> str:
    """ "auto" is the GPU if there is one. Raises SettingsError."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise SettingsError("no CUDA GPU is to be seen by torch here; use --device cpu.")
    return ("cuda" if there else "cpu") if name == "auto" else name


def chosen_dtype(name: str, device: str) -> torch.dtype:
    """ "auto": float32 on a CPU, bfloat16 on a GPU that has it, else float16. Raises SettingsError."""
    if name == "auto":
        name = "fp32" if device == "cpu" else "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    if name == "fp16" and device == "cpu":
        raise SettingsError("fp16 is for GPUs; use --precision bf16 or fp32 on a CPU.")
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]
