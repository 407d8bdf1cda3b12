"""The relighter's optimiser: Muon for the convolutions that hold most of its weights, AdamW for all else.

Muon (Jordan 2024) takes the directions of a gradient, seen as a matrix, with equal weight: orthogonalised momentum.
torch's takes matrices alone; a convolution's is (channels out, channels in x its window). Its steps are brought to
AdamW's size (Liu et al., Muon is scalable for LLM training, 2025), so that both share one learning rate.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

LEAST_ROWS, LEAST_COLUMNS = 16, 64
"""Of a convolution's matrix; a smaller one has few directions."""
HEADS = ("geometry", "matte", "out")
"""Last layers: whether their outputs are of one scale, nobody knows."""
DECAY = 1e-4
"""Weight decay, both."""


def takes_muon(name: str, weight: Tensor) -> bool:
    """Whether Muon moves the parameter of this name."""
    big = weight.ndim == 4 and len(weight) >= LEAST_ROWS and weight[0].numel() >= LEAST_COLUMNS
    return big and name.split(".")[0] not in HEADS


class MuonAdamW:
    """Has what training uses of a torch optimiser."""

    def __init__(self, network: nn.Module, rate: float) -> None:
        """rate: learning rate; ``param_groups`` may change it."""
        named = list(network.named_parameters())
        self._network = network
        self._weights = [weight for name, weight in named if takes_muon(name, weight)]
        self._matrices = [nn.Parameter(weight.detach().flatten(1).clone()) for weight in self._weights]
        rest = [weight for name, weight in named if not takes_muon(name, weight)]
        self._muon = torch.optim.Muon(
            self._matrices, lr=rate, weight_decay=DECAY, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        )
        self._adamw = torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.99), weight_decay=DECAY)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [*self._muon.param_groups, *self._adamw.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        self._network.zero_grad(set_to_none)

    @torch.no_grad()
    def step(self) -> None:
        for weight, matrix in zip(self._weights, self._matrices, strict=True):
            matrix.copy_(weight.flatten(1))
            matrix.grad = None if weight.grad is None else weight.grad.flatten(1)
        self._muon.step()
        self._adamw.step()
        for weight, matrix in zip(self._weights, self._matrices, strict=True):
            weight.copy_(matrix.view_as(weight))

    def state_dict(self) -> dict[str, Any]:
        return {"muon": self._muon.state_dict(), "adamw": self._adamw.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state``; that of a run before there was Muon is left out."""
        if state.keys() == self.state_dict().keys():
            self._muon.load_state_dict(state["muon"])
            self._adamw.load_state_dict(state["adamw"])
