"""Prints and tone curves of training samples: what they change and what they leave alone."""

import numpy as np
import pytest
import torch

from training.losses import blotches
from training.patterns import curved, printed, surface_print

SIDE = 48


@pytest.fixture
def tensors():
    flow = torch.zeros(1, SIDE, SIDE, 2)
    flow[..., 0] = -4  # the person moves 4 pixels to the right
    alpha = torch.zeros(2, 1, SIDE, SIDE)
    alpha[..., 9:, :] = 1
    alpha[..., 8, :] = 0.5
    pictures = {name: torch.full((2, 3, SIDE, SIDE), 0.5) for name in ("image", "target", "albedo")}
    cloth = alpha.clone()
    cloth[..., 30:, :] = 0
    return pictures | {"alpha": alpha, "cloth": cloth, "flow_bwd": flow, "shading": torch.ones(2, 3, SIDE, SIDE)}


@pytest.mark.parametrize("seed", range(8))
def test_a_print_darkens_and_never_blackens(seed) -> None:
    ink = surface_print(np.random.default_rng(seed), SIDE)
    assert ink.shape == (SIDE, SIDE, 3)
    assert 0.14 < ink.min() < 0.95
    assert ink.max() <= 1


def test_a_print_moves_with_the_person_and_leaves_the_light_alone(tensors) -> None:
    out = printed(tensors, np.random.default_rng(3))
    assert torch.equal(out["shading"], tensors["shading"])
    assert torch.equal(out["image"][:, :, :8], tensors["image"][:, :, :8])  # the room
    assert torch.equal(out["image"], out["target"])
    before, after = out["image"][:, :, 8:]
    assert before.std() > 0.01
    assert torch.allclose(after[..., 4:], before[..., :-4], atol=1e-5)


def test_most_prints_are_on_clothes_alone(tensors) -> None:
    changed = [printed(tensors, np.random.default_rng(seed))["image"] != tensors["image"] for seed in range(40)]
    elsewhere = sum(bool(where[:, :, 30:].any()) for where in changed)
    assert 3 < elsewhere < 20
    assert all(bool(where[:, :, 8:30].any()) for where in changed)
    assert not any(bool(where[:, :, :8].any()) for where in changed)


def test_albedo_is_printed_in_full_where_the_room_shows_through(tensors) -> None:
    out = printed(tensors, np.random.default_rng(3), on_clothes=1.0)
    row = {name: out[name][0, :, 8] / 0.5 for name in ("image", "albedo")}
    assert (row["albedo"] < 0.9).any()
    assert torch.allclose(row["image"], 1 + 0.5 * (row["albedo"] - 1), atol=1e-5)


def test_one_tone_curve_for_picture_and_truth(tensors) -> None:
    out = curved(tensors | {"image": tensors["image"] * 0.4}, np.random.default_rng(1))
    assert out["image"].max() < 0.19
    assert torch.equal(out["target"], tensors["target"])  # middle tones stay
    assert torch.equal(out["alpha"], tensors["alpha"])


def test_blotches_on_dark_cloth_cost_more_than_the_same_on_bright_cloth() -> None:
    mask = torch.ones(1, 1, 64, 64)
    spots = 0.03 * torch.sin(torch.arange(64) / 5).view(1, 1, 1, 64).expand(1, 3, 64, 64)
    dark, bright = torch.full((1, 3, 64, 64), 0.08), torch.full((1, 3, 64, 64), 0.7)
    assert blotches(dark, dark, mask) == 0
    assert blotches(dark + spots, dark, mask) > 3 * blotches(bright + spots, bright, mask) > 0
