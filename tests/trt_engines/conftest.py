"""The GPU road on a fake device and a fake TensorRT."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the live graph is made with torch: pip install torch")

from livelight.gpu_relighter import GpuRelighter
from tests.trt_engines import fake_tensorrt
from tests.trt_engines.fake_device import FakeDevice
from tests.trt_engines.graphs import graph_bytes, write_weights
from tests.trt_engines.scene import Oval
from trt_engines.store import Store
from trt_engines.supply import EngineSupply, Wanted


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", fake_tensorrt.module())
    monkeypatch.setattr(fake_tensorrt.Engine, "spoil", 1)
    monkeypatch.setattr(fake_tensorrt.Builder, "refuse", False)
    return


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cache")
    write_weights(made / "weights.onnx")
    return made


@pytest.fixture
def exported_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests whose subject is not the export: takes seconds less."""
    monkeypatch.setattr("trt_engines.export.export", lambda weights, graph, capability: graph_bytes(graph.precision))


def supply(folder: Path, said: list[str] | None = None, device: Callable[[], FakeDevice] = FakeDevice) -> EngineSupply:
    say = (said if said is not None else []).append
    return EngineSupply(Wanted(folder / "weights.onnx", "tensorrt-rtx"), Store(folder / "engines"), device, say)


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice()


@pytest.fixture
def relighter(tensorrt: None, folder: Path, device: FakeDevice) -> GpuRelighter:
    return GpuRelighter(lambda: device, supply(folder), Oval())
