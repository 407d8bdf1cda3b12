"""What a run will take, said before it starts: operations counted on the network itself, speed tried on the device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offline.denoiser import ClipModel
from offline.frame_store import stored_bytes
from offline.samplers import SAMPLERS
from offline.windows import lay_out


@dataclass(frozen=True, slots=True)
class Estimate:
    """windows: network windows over all steps. flops: operations in all (a multiply-add is two)."""

    frames: int
    windows: int
    flops: float
    time_s: float
    disk_bytes: int
    memory_bytes: int

    def sentence(self, name: str) -> str:
        """For the user, before the start."""
        return (
            f"{name}: about {self.frames} frames in {self.windows} windows, {_amount(self.flops)}: roughly "
            f"{_duration(self.time_s)} on this device after preparing, "
            f"{self.memory_bytes / 1e9:.1f} GB of its memory, and {self.disk_bytes / 1e6:.0f} MB of disk while it runs."
        )


def estimate(model: ClipModel, frames: int, width: int, height: int) -> Estimate:
    """Of a clip of about so many frames at the model's picture size. Tries the device's speed for a moment."""
    plan = model.plan
    steps = len(plan.sigmas) - 1
    windows = steps * len(lay_out(frames, plan.window, plan.overlap))
    flops = windows * model.window_flops(width, height)
    latent = int(np.prod(model.latent_shape(width, height))) * stored_bytes(plan.stored.get("latents", "float32"))
    stored = latent * (4 if SAMPLERS[plan.sampler].remembers else 2)
    for name, shape in model.condition_shapes(width, height).items():
        stored += int(np.prod(shape)) * stored_bytes(plan.stored.get(name, "float32"))
    return Estimate(frames, windows, flops, flops / model.speed(), frames * stored, model.peak_bytes)


def _amount(flops: float) -> str:
    return f"{flops / 1e15:.1f} PFLOP" if flops >= 1e14 else f"{flops / 1e12:.2g} TFLOP"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
