"""Peak memory of one forward pass of the real-size network, counted without running it.

python -m tests.offline.activation_memory prints bytes per latent pixel and frame, fp32:
offline.memory.ACTIVATION_BYTES. Every tensor is on the meta device, so only sizes are computed; attention is taken as
the fused kernel, which holds no table of weights.
"""

from __future__ import annotations

import weakref
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from offline.motion_unet import empty_motion_unet
from tests.offline.test_motion_unet import SD15


class PeakBytes(TorchDispatchMode):
    """Counts the bytes of all storages that operations made and somebody still holds."""

    def __init__(self):
        super().__init__()
        self._alive = weakref.WeakSet()
        self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._alive.add(leaf)
        held = {t.untyped_storage()._cdata: t.untyped_storage().nbytes() for t in self._alive}
        self.peak = max(self.peak, sum(held.values()))
        return result


def bytes_per_pixel(frames: int, side: int) -> float:
    """Peak bytes per latent pixel and frame of RelightVid's network in fp32, weights not counted."""
    network = empty_motion_unet(SD15, 12)
    with torch.device("meta"):
        x, tokens = torch.empty(1, 12, frames, side, side), torch.empty(frames, 77, 768)
        t = torch.zeros(1, dtype=torch.int64)
    fused = mock.patch("torch.nn.functional.scaled_dot_product_attention", lambda q, *a, **k: torch.empty_like(q))
    with fused, PeakBytes() as counted, torch.no_grad():
        network(x, t, encoder_hidden_states=tokens)
    return counted.peak / (frames * side**2)


if __name__ == "__main__":
    for frames, side in ((1, 32), (4, 32), (1, 64), (16, 64)):
        print(f"{frames} frames of {8 * side}x{8 * side}: {bytes_per_pixel(frames, side):.0f}")
