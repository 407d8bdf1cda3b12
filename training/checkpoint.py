"""A training run on disk: network, moving average, optimiser, and how far it came. Written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from livelight.runtimes.openvino_runtime import has_amx
from training.critic import Rivalry
from training.optimizer import MuonAdamW


def fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is the faster way to train: on GPUs, and on CPUs with AMX."""
    return device.type == "cuda" or has_amx()


@dataclass
class Run:
    """All that training changes. average: exponential moving average of network, what is evaluated and shipped.

    size: name in torch_network.SIZES; kind: "ours" or "sipr"; step: steps taken; trained_s: seconds spent.
    """

    network: nn.Module
    average: nn.Module
    optimizer: MuonAdamW
    rivalry: Rivalry | None
    size: str
    kind: str
    step: int = 0
    trained_s: float = 0.0

    def follow(self) -> None:
        """Move the average towards the network; faster in the first steps."""
        keep = min(0.998, self.step / (self.step + 9))
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
            for slow, fast in pairs:
                slow.lerp_(fast, 1 - keep)
            for slow, fast in zip(self.average.buffers(), self.network.buffers(), strict=True):
                slow.copy_(fast)

    def save(self, path: Path) -> None:
        """Write to path; its folder's name is the version."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "ema": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "trained_s": self.trained_s,
            "size": self.size,
            "kind": self.kind,
            "version": path.parent.name,
        }
        if self.rivalry is not None:
            state["critic"] = self.rivalry.critic.state_dict()
            state["critic_optimizer"] = self.rivalry.optimizer.state_dict()
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def restore(self, path: Path, device: torch.device) -> None:
        """Take up the run saved at path.

        A run from before a part of the network was there goes on: the new part starts by doing nothing, and the
        optimiser from the start. Raises ValueError if the saved network is another one.
        """
        saved = torch.load(path, map_location=device, weights_only=True)
        if (saved["size"], saved.get("kind", "ours")) != (self.size, self.kind):
            raise ValueError(f"{path} holds a network {saved['size']}; expected {self.size}: choose another --out")
        missing = self.network.load_state_dict(saved["network"], strict=False)
        if missing.unexpected_keys:
            raise ValueError(f"{path} has a part that is switched off ({missing.unexpected_keys[0]}): leave it on")
        self.average.load_state_dict({**self.network.state_dict(), **saved["ema"]})
        if not missing.missing_keys:
            self.optimizer.load_state_dict(saved["optimizer"])
        if self.rivalry is not None and "critic" in saved:
            self.rivalry.critic.load_state_dict(saved["critic"])
            self.rivalry.optimizer.load_state_dict(saved["critic_optimizer"])
        self.step, self.trained_s = saved["step"], saved["trained_s"]
