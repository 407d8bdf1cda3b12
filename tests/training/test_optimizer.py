"""Muon for the large convolutions, AdamW for the rest."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from livelight.runtimes.torch_network import SIZES, RelightNetwork
from training.optimizer import MuonAdamW, takes_muon


def network() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(8, 24, 3), nn.ReLU(), nn.Conv2d(24, 3, 3))


def taught(layers: nn.Sequential, optimizer: MuonAdamW, steps: int, seed: int = 0) -> float:
    """The last loss of regressing a fixed filter."""
    generator = torch.Generator().manual_seed(seed)
    loss = torch.zeros(())
    for _ in range(steps):
        x = torch.randn(4, 8, 10, 10, generator=generator)
        loss = (layers(x) - x[:, :3, 2:-2, 2:-2]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def test_it_learns() -> None:
    layers = network()
    optimizer = MuonAdamW(layers, 1e-2)
    assert taught(layers, optimizer, 200) < 0.3 * taught(network(), MuonAdamW(network(), 0.0), 1)


def test_all_directions_of_a_large_convolution_move_alike() -> None:
    layers = network()
    before = layers[0].weight.detach().clone()
    taught(layers, MuonAdamW(layers, 1e-3), 1)
    spread = torch.linalg.svdvals((layers[0].weight.detach() - before).flatten(1))
    assert spread.min() > 0.4 * spread.max()


def test_the_rate_of_every_step_is_that_of_the_groups() -> None:
    layers = network()
    before = [weight.detach().clone() for weight in layers.parameters()]
    optimizer = MuonAdamW(layers, 1e-2)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    taught(layers, optimizer, 2)
    assert all(torch.equal(a, b) for a, b in zip(before, layers.parameters(), strict=True))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_run_goes_on_as_if_it_had_not_stopped(layout: torch.memory_format) -> None:
    whole = network().to(memory_format=layout)
    optimizer = MuonAdamW(whole, 1e-2)
    taught(whole, optimizer, 3)
    saved = copy.deepcopy((whole.state_dict(), optimizer.state_dict()))
    again = network()
    again.load_state_dict(saved[0])
    other = MuonAdamW(again, 1e-2)
    other.load_state_dict(saved[1])
    assert taught(again, other, 2, seed=5) == pytest.approx(taught(whole, optimizer, 2, seed=5), rel=1e-5)


def test_a_run_from_before_starts_its_optimiser_anew() -> None:
    layers = network()
    optimizer = MuonAdamW(layers, 1e-2)
    optimizer.load_state_dict(torch.optim.AdamW(layers.parameters()).state_dict())
    assert taught(layers, optimizer, 5) > 0


def test_of_the_relighter_muon_takes_most_and_no_head() -> None:
    named = dict(RelightNetwork(SIZES["L"], person_gain=True, occlusion=True).named_parameters())
    chosen = {name for name, weight in named.items() if takes_muon(name, weight)}
    assert {"down16.2.a.weight", "light2.conv.weight"} <= chosen
    assert not {"out.weight", "geometry.weight", "matte.weight", "stem.weight", "light_head.0.weight"} & chosen
    assert sum(named[name].numel() for name in chosen) > 0.5 * sum(weight.numel() for weight in named.values())
