"""``livelight engine`` and the choice of the relighter."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="the live graph is made with torch: pip install torch")

from livelight import relight
from livelight.config import RelightSettings
from livelight.errors import LiveLightError, RuntimeFailure, SettingsError
from livelight.failover import FailoverRelighter
from livelight.runtimes import cuda_device
from livelight.watched_relighter import WatchedRelighter
from pipelines import engine
from tests.trt_engines import fake_tensorrt
from tests.trt_engines.fake_device import FakeDevice
from tests.trt_engines.graphs import graph_bytes, write_weights
from tests.trt_engines.scene import HEIGHT, WIDTH, Oval, frames, light
from trt_engines.spec import Card

SIZE = f"{WIDTH}x{HEIGHT}"


def no_gpu(index: int = 0) -> FakeDevice:
    raise RuntimeFailure("no NVIDIA driver is installed here")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with a fake card and an empty cache; gives the weights."""
    monkeypatch.setenv("LIVELIGHT_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", fake_tensorrt.module())
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setattr(cuda_device, "open_cuda", lambda index=0: FakeDevice())
    exported = lambda weights, graph, capability: graph_bytes(graph.precision, graph.blur)  # noqa: E731
    monkeypatch.setattr("trt_engines.export.export", exported)
    monkeypatch.setattr("trt_engines.verify.FRAMES", 3)
    return write_weights(tmp_path / "weights.onnx")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(engine.app, arguments)


def test_build_list_verify_bench_clear(card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = run("build", SIZE, "--model", str(card))
    assert built.exit_code == 0, built.output
    assert "Built in" in built.stderr
    assert len(built.stdout.split()) == 2  # own room or backdrop, and blurred room
    listed = run("list")
    assert listed.stdout.count("verified") == 2
    assert f"{SIZE}, blurred room, fp16, 1 to 4 streams, tensorrt-rtx 1.7.fake, Fake RTX" in listed.stdout
    monkeypatch.setattr("trt_engines.bench.WARM_UP", 1)
    out = tmp_path / "card.json"
    measured = run("bench", SIZE, "--model", str(card), "--frames", "10", "--out", str(out))
    assert measured.exit_code == 0, measured.output
    for figure in ("engine alone, CUDA graph", "end to end, no CUDA graph", "bytes alone, wall clock", "psnr_db"):
        assert figure in out.read_text()
    out.write_bytes(b"a photograph")
    refused = run("bench", SIZE, "--model", str(card), "--frames", "10", "--out", str(out))
    assert "--out" in str(refused.exception)
    assert out.read_bytes() == b"a photograph"
    assert run("clear").stdout.startswith("2 engines removed")
    assert run("list").stdout == ""


def test_a_damaged_engine_is_listed_as_such(card: Path, tmp_path: Path) -> None:
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "x.engine").write_bytes(b"something else")
    assert "damaged" in run("list").stdout


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "open_cuda", no_gpu)
    result = run("build", "720p")
    assert isinstance(result.exception, LiveLightError)
    assert "no NVIDIA driver" in str(result.exception)


def test_auto_without_a_gpu_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "open_cuda", no_gpu)
    monkeypatch.setattr(relight, "build_relighter", lambda settings: "the CPU's")
    assert engine.open_relighter(RelightSettings()) == "the CPU's"
    with pytest.raises(RuntimeFailure, match="no NVIDIA driver"):
        engine.open_relighter(RelightSettings(runtime="tensorrt-rtx"))


def test_with_a_gpu_auto_may_fall_and_a_choice_may_not(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livelight.segmenters.open_segmenter", lambda name: Oval())
    monkeypatch.setattr(relight, "build_relighter", lambda settings: None)
    auto = engine.open_relighter(RelightSettings(model=str(card)))
    chosen = engine.open_relighter(RelightSettings(model=str(card), runtime="tensorrt-rtx"))
    assert isinstance(auto, FailoverRelighter)
    assert isinstance(chosen, WatchedRelighter)
    relit, _ = chosen.step(frames(1)[0], light(0), None)
    assert not np.array_equal(relit.image, frames(1)[0].image)


def test_a_card_is_not_used_where_the_relighter_is_its_own_segmenter(card: Path, monkeypatch) -> None:
    monkeypatch.setattr(relight, "build_relighter", lambda settings: "the CPU's")
    notices: list[str] = []
    assert engine.open_relighter(RelightSettings(model=str(card), segmenter="own"), notices.append) == "the CPU's"
    assert "Fake RTX is not used: --segmenter own" in notices[0]
    with pytest.raises(SettingsError, match="on a CPU"):
        engine.open_relighter(RelightSettings(model=str(card), segmenter="own", runtime="tensorrt-rtx"))


def test_a_card_that_is_not_used_is_told_why(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    monkeypatch.setattr(relight, "build_relighter", lambda settings: "the CPU's")
    notices: list[str] = []
    assert engine.open_relighter(RelightSettings(model=str(card)), notices.append) == "the CPU's"
    assert "Fake RTX is not used" in notices[0]
    assert "pip install 'livelight[tensorrt-rtx]'" in notices[0]


def test_missing_weights_are_named(card: Path) -> None:
    result = run("build", SIZE, "--model", "nowhere.onnx")
    assert isinstance(result.exception, RuntimeFailure)
    assert "nowhere.onnx" in str(result.exception)


def test_the_flavour_follows_the_card(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt.module())
    assert engine.flavour_for(Card("NVIDIA GeForce RTX 4070", (8, 9))) == "tensorrt-rtx"
    assert engine.flavour_for(Card("NVIDIA H200", (9, 0))) == "tensorrt"
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    assert engine.flavour_for(Card("NVIDIA H200", (9, 0))) == "tensorrt-rtx"
