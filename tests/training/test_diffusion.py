"""The diffusion network starts as the live relighter, learns from baked samples, and exports to what it computes."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from livelight.relight import model_path
from livelight.runtimes.torch_runtime import read_network
from offline.diffusion_network import DiffusionNetwork, DiffusionSize, applied, difference
from offline.own_model import weights_folder
from training import export_diffusion
from training.bake import BakedSamples, stored
from training.diffusion_run import DiffusionRun
from training.export_diffusion import INPUTS, example, export
from training.train_diffusion import clip_losses, look, stills


@pytest.fixture(scope="module")
def network() -> DiffusionNetwork:
    torch.manual_seed(0)
    return DiffusionNetwork(DiffusionSize(8), read_network(model_path("live"))).eval()


def sample(frames: int = 3, side: int = 32) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    picture = torch.rand(frames, 3, side, side)
    return {
        "image": picture,
        "target": (picture * 0.6 + 0.1),
        "alpha": torch.ones(frames, 1, side, side),
        "seen": torch.ones(frames - 1, 1, side, side),
        "flow_bwd": torch.zeros(frames - 1, side, side, 2),
        "target_light": torch.rand(3, 16, 16),
    }


def baked(folder: Path, count: int) -> BakedSamples:
    for k in range(count):
        np.savez(folder / f"{k:06d}.npz", **stored(sample()))  # type: ignore[arg-type]
    return BakedSamples(folder)


def test_an_untrained_network_is_the_live_relighter(network: DiffusionNetwork, tmp_path: Path) -> None:
    batch = {name: value[None] for name, value in baked(tmp_path, 1)[0].items()}
    told, light = look(network, batch)
    x = torch.randn(3, 3, 16, 16) * 80
    with torch.no_grad():
        z = network.denoise(x, torch.full((1, 1, 1, 1), 80.0), told, light, 1)
    assert (applied(told.base, z) - told.base).abs().max() < 0.01


def test_a_run_goes_on_where_it_stood_and_on_its_own_base_only(tmp_path: Path) -> None:
    path, size, cpu = tmp_path / "checkpoint.pt", DiffusionSize(8), torch.device("cpu")
    run = DiffusionRun.begun(size, model_path("live"), 1e-3, path, cpu)
    batch = {name: value[None] for name, value in sample(1).items()}
    run.take(sum(clip_losses(run.network, batch, torch.Generator().manual_seed(0), temporal=True).values()), 1e-3)
    run.trained_s = 7.0
    run.save(path)
    again = DiffusionRun.begun(size, model_path("live"), 1e-3, path, cpu)
    assert (again.step, again.trained_s) == (1, 7.0)
    for copy, before in ((again.network, run.network), (again.average, run.average)):
        for name, value in before.unet.state_dict().items():
            assert torch.equal(copy.unet.state_dict()[name], value), name
    saved = torch.load(path, weights_only=True)
    moved = DiffusionRun.begun(size, model_path("live"), 1e-3, tmp_path / "new.pt", cpu, saved["ema"])
    assert moved.step == 0
    for copy in (moved.network, moved.average):
        assert all(torch.equal(saved["ema"][f"unet.{name}"], value) for name, value in copy.unet.state_dict().items())
    with pytest.raises(ValueError, match="another form"):
        DiffusionRun.begun(DiffusionSize(16), model_path("live"), 1e-3, tmp_path / "new.pt", cpu, saved["ema"])
    saved["network"]["base.stem.bias"] += 1
    torch.save(saved, path)
    with pytest.raises(ValueError, match="upon another relighter"):
        DiffusionRun.begun(size, model_path("live"), 1e-3, path, cpu)


def test_one_gain_for_the_whole_person_costs_no_shape(network: DiffusionNetwork) -> None:
    def terms(gain: float) -> dict[str, torch.Tensor]:
        batch = {name: value[None] for name, value in sample(1).items()}
        batch["target"] = batch["target"] * gain
        return clip_losses(network, batch, torch.Generator().manual_seed(0), temporal=True)

    one, half = terms(1.0), terms(0.7)
    shape, error = (float((half[name] - one[name]).detach()) for name in ("shape", "error"))
    assert 2 * np.log(0.7) < shape < -0.2  # all of a darker picture is darker, its errors of shape too
    assert abs(error - shape) > 0.1


def test_the_difference_undoes_itself() -> None:
    torch.manual_seed(2)
    base = torch.rand(1, 3, 8, 8)[..., :1, :1].expand(1, 3, 8, 8)
    wanted = torch.rand(1, 3, 1, 1).expand(1, 3, 8, 8)
    torch.testing.assert_close(applied(base, difference(base, wanted)), wanted)


def test_every_trained_weight_learns(tmp_path: Path) -> None:
    """After a few steps every weight of the trained part has a gradient, and the frozen part has none."""
    torch.manual_seed(0)
    network = DiffusionNetwork(DiffusionSize(8), read_network(model_path("live")))
    samples = baked(tmp_path, 2)
    batch = {name: torch.stack([samples[0][name], samples[1][name]]) for name in samples[0]}
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(network.unet.parameters(), lr=3e-3)
    first, last = 0.0, 0.0
    for step in range(6):
        terms = clip_losses(network, batch, generator, temporal=True)
        loss = terms["error"] + terms["edges"] + terms["temporal"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        last = loss.item()
        first = first if step else last
    assert last < first
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.unet.parameters())
    assert all(p.grad is None for p in network.base.parameters())
    assert "temporal" not in clip_losses(network, stills(batch, generator), generator, temporal=True)


def test_the_export_computes_what_torch_does(network: DiffusionNetwork, tmp_path: Path) -> None:
    export(network, tmp_path / "d.onnx", {"version": "test"})
    session = onnxruntime.InferenceSession(str(tmp_path / "d.onnx"))
    for frames, h, w in ((2, 32, 48), (5, 48, 32)):
        inputs = example(network, frames, h, w)
        with torch.inference_mode():
            expected = network(*inputs).numpy()
        found = session.run(None, dict(zip(INPUTS, (x.numpy() for x in inputs), strict=True)))[0]
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_what_ships_can_be_put_upon_another_base(tmp_path: Path, monkeypatch) -> None:
    words = [str(weights_folder() / "diffusion.onnx"), str(tmp_path), "--base", str(model_path("live"))]
    monkeypatch.setattr("sys.argv", ["export", *words, "--version", "moved"])
    export_diffusion.main()
    old, new = (export_diffusion.begun(folder / "diffusion.onnx") for folder in (weights_folder(), tmp_path))
    assert new["version"] == "moved"
    assert len(old["ema"]) > 100
    assert old["ema"].keys() == new["ema"].keys()
    assert all(torch.equal(new["ema"][name], value) for name, value in old["ema"].items())
    assert (tmp_path / "diffusion_base.onnx").read_bytes() == model_path("live").read_bytes()
    assert (tmp_path / "diffusion_large.onnx").read_bytes() == (weights_folder() / "diffusion_large.onnx").read_bytes()
