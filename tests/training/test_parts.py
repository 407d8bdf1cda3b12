"""NVPR's parts and the plain baseline: each learns, and each can be left out."""

import subprocess
import sys
from argparse import Namespace

import numpy as np
import pytest
import torch

from livelight.runtimes import open_runtime
from livelight.runtimes.light_ball import code_directions, code_solid_angles
from livelight.runtimes.occlusion import Occlusion, gathering, gathering_directions
from livelight.runtimes.openvino_runtime import has_amx
from livelight.runtimes.torch_network import SIZES, RelightNetwork, load_network
from tests.deep import rouse
from training.checkpoint import Run
from training.clip_losses import WEIGHTS, clip_losses, frame_terms
from training.critic import CLAMP, Rivalry
from training.export import export
from training.sipr import PlainNetwork, plain, plain_losses
from training.train_relighter import arguments, new_run

B, T, SIDE = 2, 2, 32
PICTURES = ("image", "target", "albedo", "shading", "target_shading")
ENGINES = ("onnxruntime", "torch", "openvino")
ON_ONE_CORE = """
import os, sys
from pathlib import Path
import numpy as np
from livelight.runtimes import open_runtime
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
image, light = np.zeros((32, 48, 3), np.uint8), np.ones((16, 16, 3), np.float32)
print(open_runtime("openvino", Path(sys.argv[1])).run(image, light, None).gain.shape)
"""


@pytest.fixture
def batch():
    torch.manual_seed(0)
    pictures = {name: torch.rand(B, T, 3, SIDE, SIDE) for name in PICTURES}
    return pictures | {
        "normals": torch.nn.functional.normalize(torch.randn(B, T, 3, SIDE, SIDE), dim=2),
        "alpha": torch.ones(B, T, 1, SIDE, SIDE) * (torch.arange(SIDE) < 28),
        "source_light": torch.rand(B, T, 3, 16, 16),
        "target_light": torch.rand(B, 3, 16, 16),
        "probe_light": torch.rand(B, 2, 3, 16, 16),
        "probe_shading": torch.rand(B, 2, 3, SIDE, SIDE),
        "flow_bwd": torch.zeros(B, T - 1, SIDE, SIDE, 2),
        "seen": torch.ones(B, T - 1, 1, SIDE, SIDE),
    }


def options(folder, *words: str) -> Namespace:
    return arguments(["--data", str(folder), "--out", str(folder), *words])


def test_a_teacher_says_how_bright_people_come_out_and_nothing_else(batch) -> None:
    torch.manual_seed(3)
    network = RelightNetwork(SIZES["S"])
    batch["target"] = 0.4 * batch["image"]  # the untrained network is much brighter
    alone, _ = clip_losses(network, batch, code_solid_angles())
    taught, _ = clip_losses(network, batch, code_solid_angles(), teacher=network)
    assert {name for name in alone if not torch.equal(alone[name], taught[name])} == {"relit", "level"}
    assert taught["relit"] < 0.9 * alone["relit"]
    assert taught["level"] < 0.9 * alone["level"]


def test_every_term_of_rendered_clips_teaches_and_has_a_weight(batch) -> None:
    network = RelightNetwork(SIZES["S"], structure=True)
    terms, relit = clip_losses(network, batch, code_solid_angles(), Rivalry(torch.device("cpu")))
    assert relit.shape == (B, 3, SIDE, SIDE)
    assert set(terms) == {name for name in WEIGHTS if not name.startswith("real")}
    for name, value in terms.items():
        gradients = torch.autograd.grad(value, list(network.parameters()), retain_graph=True, allow_unused=True)
        assert sum(float(g.abs().sum()) for g in gradients if g is not None) > 0, name


def test_what_a_frame_costs_compiles_whole(batch) -> None:
    """Traced without a break: the compiler itself would take minutes."""
    torch.manual_seed(3)
    network = RelightNetwork(SIZES["S"], person_gain=True, occlusion=True, depth=True)
    traced = torch.compile(frame_terms, backend="eager", fullgraph=True, dynamic=False)
    terms, relit = clip_losses(network, batch, code_solid_angles(), each=traced)
    truth, expected = clip_losses(network, batch, code_solid_angles())
    assert torch.allclose(relit, expected)
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(
        {name: value.item() for name, value in truth.items()}, rel=1e-5
    )


def test_without_its_parts_their_terms_are_gone(batch) -> None:
    terms, _ = clip_losses(RelightNetwork(SIZES["S"]), batch, code_solid_angles())
    assert not {"structure", "critic"} & set(terms)


def test_new_parts_change_nothing_until_they_have_learnt() -> None:
    plain_one = RelightNetwork(SIZES["S"])
    coded = RelightNetwork(SIZES["S"], structure=True, person_gain=True, occlusion=True, depth=True)
    coded.load_state_dict(plain_one.state_dict(), strict=False)
    image, state = torch.rand(1, 3, SIDE, SIDE), plain_one.start(1, SIDE, SIDE)
    a, b = plain_one.analyse(image, *state), coded.analyse(image, *state)
    assert a.structure is None
    assert b.structure is not None
    light = torch.rand(1, 3, 16, 16)
    for gain, with_parts in zip(plain_one.render(a, light), coded.render(b, light), strict=True):
        assert torch.equal(gain, with_parts)


def test_one_gain_for_the_whole_person() -> None:
    """It moves all pixels alike, and looks only where a person is."""
    network = RelightNetwork(SIZES["S"], person_gain=True)
    image, light = torch.rand(1, 3, SIDE, SIDE), torch.rand(1, 3, 16, 16)
    source = network.analyse(image, *network.start(1, SIDE, SIDE))
    source = source._replace(matte_logit=torch.full_like(source.matte_logit, -30.0))
    source.matte_logit[..., : SIDE // 2] = 30.0
    before, _ = network.render(source, light)
    torch.nn.init.normal_(network.person_gain.last.weight, std=0.1)
    after, _ = network.render(source, light)
    assert torch.allclose(after / before, (after / before)[..., :1, :1].expand_as(after), rtol=1e-4)
    assert not torch.allclose(after, before)
    source.small[..., SIDE // 16 :] += 0.5
    assert torch.allclose(network.render(source, light)[0], after, rtol=1e-2)
    source.small[..., : SIDE // 16] += 0.5
    assert not torch.allclose(network.render(source, light)[0], after, rtol=1e-2)


def test_what_keeps_light_off_darkens_under_that_light_alone() -> None:
    occlusion = Occlusion(4, 4)
    occlusion.begin()
    parts = occlusion(torch.rand(1, 4, 4, 4), torch.rand(1, 4, 8, 8))
    assert torch.allclose(parts, torch.ones_like(parts))
    facing = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    towards = code_directions().view(16, 16, 3)
    left, right = ((side * towards[..., 0] > 0.7).float().expand(1, 3, 16, 16) for side in (-1, 1))
    lights = torch.cat([left, right], 1)
    assert occlusion.effect(parts, facing, lights).abs().max() < 1e-6
    parts = torch.where((occlusion.directions < 0)[:, :1].view(1, -1, 1, 1), 0.1, parts)
    effect = occlusion.effect(parts, facing, lights)
    assert effect[:, :3].max() < -1.2
    assert effect[:, 3:].min() > -0.3


def test_light_is_gathered_whole() -> None:
    light = torch.rand(256)
    assert torch.allclose((light @ gathering()).sum(), (light * code_solid_angles()).sum() / torch.pi, rtol=1e-5)
    far = (gathering_directions() @ gathering_directions().T).fill_diagonal_(-1).max()
    assert far < 0.9  # none of the directions is near another one


def test_a_network_with_all_parts_ships_as_any_other(tmp_path) -> None:
    network = RelightNetwork(SIZES["S"], structure=True, person_gain=True, occlusion=True, depth=True)
    torch.nn.init.normal_(network.occlusion.coarse.weight, std=0.1)
    torch.nn.init.normal_(network.from_structure.weight)
    rouse(network.depth)
    torch.nn.init.normal_(network.person_gain.last.weight, std=0.1)
    export(load_network("S", network.state_dict()), "S", tmp_path / "a.onnx", {"livelight.version": "test"})
    image, light = np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8), np.ones((16, 16, 3), np.float32)
    gains = {name: open_runtime(name, tmp_path / "a.onnx").run(image, light, None).gain for name in ENGINES}
    for name, gain in gains.items():
        close = 0.03 if name == "openvino" and has_amx() else 1e-3
        assert np.abs(gain - gains["torch"]).max() < close * max(1.0, gain.max()), name
    # On one core OpenVINO arranges its work in another way, which has crashed.
    done = subprocess.run([sys.executable, "-c", ON_ONE_CORE, tmp_path / "a.onnx"], capture_output=True, text=True)
    assert done.stdout == "(32, 48, 3)\n", done.stderr


def test_the_critic_learns_to_tell_and_its_weights_stay_clamped(batch) -> None:
    torch.manual_seed(3)
    rivalry = Rivalry(torch.device("cpu"))
    for group in rivalry.optimizer.param_groups:
        group["lr"] = 1e-3  # a test has no time for NVPR's rate
    source, truth = batch["image"][:, 0], batch["target"][:, 0]
    distances = [rivalry.learn(source, truth * 0.2, truth, batch["target_light"]) for _ in range(12)]
    assert distances[-1] > distances[0]
    assert max(float(w.detach().abs().max()) for w in rivalry.critic.parameters()) <= CLAMP + 1e-6


def test_the_plain_network_learns_and_relights(batch) -> None:
    torch.manual_seed(0)
    network = PlainNetwork("S")
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        loss = torch.stack(list(plain_losses(network, batch, code_solid_angles()).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    pictures = np.moveaxis(batch["image"][0].numpy(), 1, -1)
    out = plain(network)(pictures, np.ones((T, SIDE, SIDE, 1), np.float32), np.ones((16, 16, 3), np.float32))
    assert [o.shape for o in out] == [(SIDE, SIDE, 3)] * T


def test_a_run_from_before_a_part_goes_on_with_it(tmp_path) -> None:
    old = new_run(options(tmp_path, "--without", "structure", "critic"), torch.device("cpu"))
    old.step, old.trained_s = 7, 60.0
    old.save(tmp_path / "checkpoint.pt")
    new = new_run(options(tmp_path), torch.device("cpu"))
    assert (new.step, new.trained_s) == (7, 60.0)
    saved = old.network.state_dict()
    assert all(torch.equal(new.network.state_dict()[name], saved[name]) for name in saved)
    assert any(name.startswith("structure") for name in new.average.state_dict())


def test_a_run_of_another_network_is_refused(tmp_path) -> None:
    run: Run = new_run(options(tmp_path, "--network", "sipr"), torch.device("cpu"))
    run.save(tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="expected"):
        new_run(options(tmp_path), torch.device("cpu"))
