"""The linear part of the gain for the whole person, fitted to samples whose people are all lit wrong in a known way."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from livelight.runtimes.torch_network import SIZES, RelightNetwork, load_network
from training import fit_person_gain
from training.bake import BakedSamples, stored
from training.composite import composite
from training.export import export

SIDE = 32


def bake(folder: Path, network: RelightNetwork, count: int, seed: int) -> None:
    """Samples whose target is what the network makes of them, brighter where the picture is dark, else darker."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(seed)
    for k in range(count):
        level = 0.1 + 0.3 * torch.rand(1, generator=generator)
        image = (level + 0.1 * torch.rand(2, 3, SIDE, SIDE, generator=generator)).clamp(0, 1)
        light, alpha = torch.rand(3, 16, 16, generator=generator), torch.ones(2, 1, SIDE, SIDE)
        state = network.start(1, SIDE, SIDE)
        for frame in image:
            source = network.analyse(frame[None], *state)
            state = (source.state8, source.state16)
        relit = composite(image[-1:], alpha[-1:], *network.render(source, light[None]))[0]
        target = (relit * torch.exp(2 * (0.25 - level))).clamp(0, 1).expand(2, -1, -1, -1)
        nothing = {"seen": torch.ones(1, 1, SIDE, SIDE), "flow_bwd": torch.zeros(1, SIDE, SIDE, 2)}
        sample = {"image": image, "target": target, "alpha": alpha, "target_light": light} | nothing
        np.savez(folder / f"{k:06d}.npz", **stored(sample))


def errors(network: RelightNetwork, folder: Path) -> list[float]:
    """How far the last frames are from their targets."""
    left = []
    samples = BakedSamples(folder)
    for k in range(len(samples)):
        sample, state = samples[k], network.start(1, SIDE, SIDE)
        for frame in sample["image"]:
            source = network.analyse(frame[None], *state)
            state = (source.state8, source.state16)
        change = network.render(source, sample["target_light"][None])
        relit = composite(sample["image"][-1:], sample["alpha"][-1:], *change)[0]
        left.append(float((relit - sample["target"][-1]).abs().mean()))
    return left


@torch.no_grad()
def test_what_depends_on_the_whole_picture_is_found(tmp_path, monkeypatch, capsys) -> None:
    torch.manual_seed(0)
    network = RelightNetwork(SIZES["S"]).eval()
    for name, count, seed in (("train", 40, 1), ("val", 10, 2)):
        bake(tmp_path / name, network, count, seed)
    checkpoint = tmp_path / "checkpoint.pt"
    torch.save({"ema": network.state_dict(), "size": "S"}, checkpoint)
    words = [str(checkpoint), "--train", str(tmp_path / "train"), "--val", str(tmp_path / "val")]
    monkeypatch.setattr(sys, "argv", ["fit", *words, "--out", str(tmp_path / "new.pt")])
    fit_person_gain.main()
    assert "train: 40 samples" in capsys.readouterr().out
    saved = torch.load(tmp_path / "new.pt", weights_only=True)
    better = load_network(saved["size"], saved["ema"])
    assert np.mean(errors(better, tmp_path / "val")) < 0.5 * np.mean(errors(network, tmp_path / "val"))

    # Fitted again, it starts from nothing: the same answer.
    monkeypatch.setattr(sys, "argv", ["fit", str(tmp_path / "new.pt"), *words[1:], "--out", str(tmp_path / "again.pt")])
    fit_person_gain.main()
    again = torch.load(tmp_path / "again.pt", weights_only=True)["ema"]
    assert all(torch.allclose(again[name], value) for name, value in saved["ema"].items())


@torch.no_grad()
def test_a_fit_is_corrected_by_people_who_are_new_to_it(tmp_path, monkeypatch) -> None:
    torch.manual_seed(0)
    network = RelightNetwork(SIZES["S"], person_gain=True).eval()
    for name, count, seed in (("train", 40, 1), ("val", 10, 2)):
        bake(tmp_path / name, network, count, seed)
    assert network.person_gain is not None
    network.person_gain.fitted.bias.copy_(torch.tensor([0.2, 0.0, 0.0]))  # a fit that is wrong here: all too bright
    known = network.person_gain.centre.clone()
    torch.save({"ema": network.state_dict(), "size": "S"}, tmp_path / "old.pt")
    words = ["--train", str(tmp_path / "train"), "--val", str(tmp_path / "val")]
    monkeypatch.setattr(
        sys, "argv", ["fit", str(tmp_path / "old.pt"), *words, "--keep", "--out", str(tmp_path / "a.pt")]
    )
    fit_person_gain.main()
    corrected = load_network("S", torch.load(tmp_path / "a.pt", weights_only=True)["ema"])
    assert torch.equal(corrected.person_gain.centre, known)
    assert np.mean(errors(corrected, tmp_path / "val")) < 0.5 * np.mean(errors(network, tmp_path / "val"))


@torch.no_grad()
def test_a_teacher_tells_how_bright_people_are(tmp_path, monkeypatch) -> None:
    torch.manual_seed(0)
    network = RelightNetwork(SIZES["S"], person_gain=True).eval()
    assert network.person_gain is not None
    for name, count, seed in (("train", 12, 1), ("val", 4, 2)):
        bake(tmp_path / name, network, count, seed)
    torch.save({"ema": network.state_dict(), "size": "S"}, tmp_path / "pupil.pt")
    network.person_gain.fitted.bias.copy_(torch.tensor([0.3, 0.0, 0.0]))
    export(network, "S", tmp_path / "teacher.onnx", {"livelight.version": "a", "livelight.steps": "1"})
    words = ["--train", str(tmp_path / "train"), "--val", str(tmp_path / "val"), "--version", "b"]
    more = ["--teacher", str(tmp_path / "teacher.onnx"), "--out", str(tmp_path / "taught.pt")]
    monkeypatch.setattr(sys, "argv", ["fit", str(tmp_path / "pupil.pt"), *words, *more])
    fit_person_gain.main()
    saved = torch.load(tmp_path / "taught.pt", weights_only=True)
    assert saved["version"] == "b"
    taught = load_network("S", saved["ema"])
    sample = BakedSamples(tmp_path / "val")[0]
    relit = [float(fit_person_gain.last_frame(each, sample)[2].mean()) for each in (taught, network)]
    assert relit[0] == pytest.approx(relit[1], rel=0.02)
