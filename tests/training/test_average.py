from __future__ import annotations

import pytest
import torch

from livelight.runtimes.torch_network import SIZES, RelightNetwork
from training import average


def checkpoint(folder, name: str, value: float, size: str = "S"):
    weights = {k: torch.full_like(v, value) for k, v in RelightNetwork(SIZES[size]).state_dict().items()}
    torch.save({"network": weights, "ema": weights, "step": int(value), "size": size}, folder / name)
    return str(folder / name)


def test_weights_between_two_checkpoints(tmp_path, monkeypatch):
    a, b, out = checkpoint(tmp_path, "a.pt", 1.0), checkpoint(tmp_path, "b.pt", 11.0), tmp_path / "out.pt"
    monkeypatch.setattr("sys.argv", ["average", a, b, "--share", "0.6", "--out", str(out)])
    average.main()
    found = torch.load(out, weights_only=True)
    assert (found["step"], found["size"]) == (11, "S")
    assert all(torch.allclose(v, torch.tensor(7.0)) for part in ("network", "ema") for v in found[part].values())


def test_other_networks_are_refused(tmp_path, monkeypatch):
    a, b = checkpoint(tmp_path, "a.pt", 1.0), checkpoint(tmp_path, "b.pt", 2.0, "M")
    monkeypatch.setattr("sys.argv", ["average", a, b, "--out", str(tmp_path / "out.pt")])
    with pytest.raises(ValueError, match="different networks"):
        average.main()
    assert not (tmp_path / "out.pt").exists()
