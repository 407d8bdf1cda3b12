"""The network's physics: light balls follow the convention of livelight.environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from livelight.runtimes import open_runtime
from livelight.runtimes.light_ball import BALL, code_directions, code_solid_angles, light_ball
from livelight.runtimes.torch_network import SIZES, RelightNetwork
from livelight.runtimes.torch_runtime import read_network
from tests.deep import rouse
from training.cpu_graph import CpuGraph
from training.export import export


def ball(exponent: float, code: torch.Tensor) -> torch.Tensor:
    return (light_ball(exponent) @ code).view(BALL, BALL)


def test_solid_angles_sum_to_the_sphere() -> None:
    assert abs(code_solid_angles().sum().item() - 4 * torch.pi) < 1e-5


@pytest.mark.parametrize("exponent", [1.0, 8.0, 48.0])
def test_a_white_ball_under_even_light_is_even(exponent: float) -> None:
    picture = ball(exponent, torch.ones(256))
    assert torch.allclose(picture, torch.ones(BALL, BALL), atol=0.03)


@pytest.mark.parametrize("exponent", [1.0, 8.0])
@pytest.mark.parametrize(("axis", "sign"), [(0, 1), (0, -1), (1, 1), (1, -1)])
def test_the_ball_is_bright_where_the_light_is(exponent: float, axis: int, sign: int) -> None:
    code = (code_directions()[:, axis] * sign > 0.9).float()
    picture = ball(exponent, code)
    if axis == 0:
        first, second = picture[:, : BALL // 2].mean(), picture[:, BALL // 2 :].mean()
    else:
        second, first = picture[: BALL // 2].mean(), picture[BALL // 2 :].mean()
    assert (second > 3 * first) if sign > 0 else (first > 3 * second)


def test_light_behind_the_person_does_not_reach_the_ball_s_face() -> None:
    code = (code_directions()[:, 2] < -0.9).float()
    assert ball(1.0, code)[BALL // 2, BALL // 2] == 0


def test_shade_reads_the_ball_at_the_normal() -> None:
    network = RelightNetwork(SIZES["S"])
    light = (code_directions()[:, 0] > 0.9).float().view(1, 1, 16, 16).expand(1, 3, 16, 16)
    normals = torch.zeros(1, 3, 1, 2)
    normals[0, :, 0, 0] = torch.tensor([0.8, 0.0, 0.6])
    normals[0, :, 0, 1] = torch.tensor([-0.8, 0.0, 0.6])
    shaded = network.shade(normals, light)
    assert shaded[0, 0, 0, 0] > shaded[0, 0, 0, 1] + 1


def test_relighting_to_the_own_light_starts_at_the_identity() -> None:
    """The physical prior alone changes nothing when the light does not change, but for the shadows it takes away."""
    torch.manual_seed(0)
    network = RelightNetwork(SIZES["S"])
    torch.nn.init.zeros_(network.out.weight)
    torch.nn.init.zeros_(network.geometry.weight[6:])
    source = network.analyse(torch.rand(1, 3, 64, 64), *network.start(1, 64, 64))
    gain, offset = network.render(source, source.source_light)
    assert torch.allclose(gain, torch.ones_like(gain), atol=1e-5)
    assert torch.allclose(offset, torch.zeros_like(offset), atol=1e-6)


def test_a_size_exports_and_runs(tmp_path: Path) -> None:
    """The other sizes are the same graph with wider layers, and an export takes long: see the test below for them."""
    network = RelightNetwork(SIZES["S"])
    export(network, "S", tmp_path / "S.onnx", {"livelight.version": "test"})
    assert (tmp_path / "S.onnx").stat().st_size < 4e6  # its weights and tables in 16 bits
    stored = read_network(tmp_path / "S.onnx").state_dict()
    for name, weight in network.state_dict().items():
        assert torch.allclose(stored[name], weight, rtol=1e-3, atol=1e-6), name
    runtime = open_runtime("onnxruntime", tmp_path / "S.onnx")
    out = runtime.run(np.zeros((64, 96, 3), np.uint8), np.ones((16, 16, 3), np.float32), None)
    assert out.gain.shape == (64, 96, 3)
    assert out.matte.shape == (64, 96)
    assert out.normals.shape == (32, 48, 3)
    assert out.source_light.shape == (16, 16, 3)
    assert abs(np.linalg.norm(out.normals, axis=-1) - 1).max() < 1e-4


@pytest.mark.parametrize(("size", "parts"), [("S", False), ("S", True), ("M", False)])
def test_the_graph_for_cpus_is_the_same_function(size: str, parts: bool) -> None:
    torch.manual_seed(1)
    network = RelightNetwork(SIZES[size], structure=parts, person_gain=parts, depth=parts)
    if network.from_structure is not None and network.person_gain is not None and network.depth is not None:
        torch.nn.init.normal_(network.from_structure.weight)
        torch.nn.init.normal_(network.person_gain.last.weight)
        rouse(network.depth)
    for head in (network.out, network.geometry, network.matte):  # they start near 0, where much looks alike
        head.weight.data.mul_(10)
    arranged = CpuGraph(network).eval()
    states = [torch.rand_like(x) for x in network.start(1, 64, 96)]
    inputs = (torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8), torch.rand(1, 16, 16, 3) * 4, *states)
    with torch.no_grad():
        for truth, ours in zip(network(*inputs), arranged(*inputs), strict=True):
            assert torch.allclose(ours, truth, rtol=1e-4, atol=1e-4 * float(truth.abs().max()))
    assert set(arranged.state_dict()) == set(network.state_dict())


@pytest.mark.parametrize("size", list(SIZES))
def test_every_size_runs(size: str) -> None:
    network = RelightNetwork(SIZES[size])
    image, light = torch.zeros(1, 32, 48, 3, dtype=torch.uint8), torch.ones(1, 16, 16, 3)
    with torch.no_grad():
        gain, *_ = network(image, light, *network.start(1, 32, 48))
    assert gain.shape == (1, 32, 48, 3)
    assert torch.isfinite(gain).all()
