"""A training of the diffusion model on disk: network, moving average, optimiser, and how far it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from livelight.runtimes.torch_runtime import read_network
from offline.diffusion_network import DiffusionNetwork, DiffusionSize


@dataclass
class DiffusionRun:
    """All that training changes. average: exponential moving average of network, what is evaluated and shipped.

    Only the UNet is trained; base and exposure head stay as they are. step: steps taken; trained_s: seconds spent.
    """

    network: DiffusionNetwork
    average: DiffusionNetwork
    optimizer: torch.optim.Optimizer
    step: int = 0
    trained_s: float = 0.0

    @classmethod
    def begun(
        cls, size: DiffusionSize, base: Path, rate: float, checkpoint: Path, device: torch.device,
        unet: Mapping[str, Tensor] | None = None,
    ) -> DiffusionRun:  # fmt: skip
        """A new run upon the relighter ``base`` (.onnx), or as it stood when ``checkpoint`` was written.

        unet: weights of a run upon another relighter of this one's size, to begin with (``export_diffusion.begun``);
        without its head, which knows that relighter's errors. Raises ValueError if the checkpoint stands upon another
        relighter, or if ``unet`` does not fit.
        """
        copies = [DiffusionNetwork(size, read_network(base)) for _ in range(2)]
        network, average = (copy.to(device, memory_format=torch.channels_last) for copy in copies)
        if unet is not None:
            begin_with(network, unet)
        average.load_state_dict(network.state_dict())
        optimizer = torch.optim.AdamW(network.unet.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=1e-3)
        run = cls(network, average, optimizer)
        if checkpoint.exists():
            saved = torch.load(checkpoint, map_location=device, weights_only=True)
            for name, weight in network.base.state_dict().items():
                known = saved["network"].get(f"base.{name}")
                if known is None or not torch.equal(known, weight):
                    raise ValueError(
                        f"{checkpoint} stands upon another relighter than {base}: name its own with --base"
                    )
            network.load_state_dict(saved["network"])
            average.load_state_dict(saved["ema"])
            network.exposure.load_state_dict(average.exposure.state_dict())  # as training.fit_exposure left it
            for copy in (network, average):
                copy.exposure.trust.fill_(1.0)  # the answer counts in full while it learns what the head leaves
            optimizer.load_state_dict(saved["optimizer"])
            run.step, run.trained_s = saved["step"], saved["trained_s"]
        return run

    def take(self, loss: torch.Tensor, rate: float) -> None:
        """One step down the loss, and the average after it; faster in the first steps."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.unet.parameters(), 1.0)
        self.optimizer.step()
        keep = min(0.995, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for slow, fast in zip(self.average.unet.parameters(), self.network.unet.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        self.step += 1

    def save(self, path: Path) -> None:
        """Write to path, whole or not at all; its folder's name is the version."""
        state = {
            "network": self.network.state_dict(),
            "ema": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "trained_s": self.trained_s,
            "width": self.network.size.width,
            "depth": self.network.size.depth,
            "version": path.parent.name,
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)


def begin_with(network: DiffusionNetwork, weights: Mapping[str, Tensor]) -> None:
    """Give a network the UNet among ``weights``. Raises ValueError if it is of another form."""
    unet = {name.removeprefix("unet."): weight for name, weight in weights.items() if name.startswith("unet.")}
    try:
        network.unet.load_state_dict(unet)
    except RuntimeError as exc:
        raise ValueError(
            "the UNet to begin with is of another form: expected --width, --depth and the relighter's size as there"
        ) from exc
