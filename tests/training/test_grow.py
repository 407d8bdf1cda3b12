"""A grown network does what the smaller one does, and all of it can learn."""

from __future__ import annotations

import itertools
from dataclasses import astuple

import pytest
import torch

from livelight.relight import model_path
from livelight.runtimes.torch_network import SIZES, RelightNetwork, load_network
from livelight.runtimes.torch_runtime import read_network
from training import grow
from training.grow import grown

PARTS = {"structure": True, "person_gain": True, "occlusion": True, "depth": True}


def randomised() -> RelightNetwork:
    """A network of size S, none of whose weights is zero."""
    torch.manual_seed(3)
    network = RelightNetwork(SIZES["S"], **PARTS)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.add_(torch.randn_like(tensor) * 0.01)
    return network.eval()


def test_a_grown_network_gives_the_same_pictures_frame_after_frame():
    small = randomised()
    large = load_network("M", grown(small.state_dict(), "S", "M")).double()
    small = small.double()
    states = [list(network.start(1, 32, 48)) for network in (small, large)]
    light = torch.rand(1, 16, 16, 3, dtype=torch.float64) * 3
    with torch.inference_mode():
        for _ in range(3):
            picture = torch.randint(0, 256, (1, 32, 48, 3), dtype=torch.uint8)
            found = [network(picture, light, *state) for network, state in zip((small, large), states, strict=True)]
            for of_small, of_large in zip(*(outputs[:5] for outputs in found), strict=True):
                torch.testing.assert_close(of_large, of_small, atol=1e-9, rtol=1e-9)
            gain = found[0][0]
            assert gain.min() < gain.max() < 7  # neither flat nor cut off
            states = [list(outputs[5:]) for outputs in found]


def test_old_channels_can_learn_from_new_ones():
    large = load_network("M", grown(randomised().state_dict(), "S", "M"))
    source = large.analyse(torch.rand(1, 3, 32, 32), *large.start(1, 32, 32))
    gain, _ = large.render(source, torch.rand(1, 3, 16, 16))
    gain.square().sum().backward()
    new_to_old = large.light2b.weight.grad[: SIZES["S"].render, SIZES["S"].render :]
    assert new_to_old.abs().max() > 0


def test_a_network_cannot_shrink():
    weights = RelightNetwork(SIZES["M"]).state_dict()
    with pytest.raises(ValueError, match="S has fewer channels than M"):
        grown(weights, "M", "S")


def test_sizes_grow():
    ordered = [SIZES[name] for name in ("S", "M", "L")]
    for small, large in itertools.pairwise(ordered):
        assert all(a <= b for a, b in zip(astuple(small)[1:], astuple(large)[1:], strict=True))
        assert all(a <= b for a, b in zip(small.widths, large.widths, strict=True))


def test_training_can_go_on_from_what_ships(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["grow", "--checkpoint", str(model_path("live")), "--size", "S", "--out", str(tmp_path)]
    )
    grow.main()
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    shipped = read_network(model_path("live")).state_dict()
    assert saved["step"] > 0
    assert saved["trained_s"] == 0
    assert not saved["ema"]["person_gain.fitted.weight"].any()
    kept = [name for name in shipped if not name.startswith("person_gain.fitted")]
    assert all(torch.equal(saved[copy][name], shipped[name]) for copy in ("network", "ema") for name in kept)
