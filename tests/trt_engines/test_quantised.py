"""8 bits: what is rounded and what is not, as ONNX Runtime rounds it, with ranges that belong to the weights."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the live graph is made with torch: pip install torch")
ort = pytest.importorskip("onnxruntime")

from livelight.errors import RuntimeFailure  # noqa: E402
from livelight.relight import model_path  # noqa: E402
from tests.trt_engines import fake_tensorrt  # noqa: E402
from tests.trt_engines.fake_device import FakeDevice  # noqa: E402
from tests.trt_engines.graphs import graph, ranges, write_weights  # noqa: E402
from tests.trt_engines.scene import light, network  # noqa: E402
from tests.trt_engines.test_live_graph import play, reference, session_of, worst  # noqa: E402
from trt_engines.quantised import RoundedConv, read_ranges, rounded_names  # noqa: E402
from trt_engines.spec import Card, hash_of, ranges_path  # noqa: E402
from trt_engines.store import Store  # noqa: E402
from trt_engines.supply import EngineSupply, Wanted  # noqa: E402

KINDS = ("int8", "fp8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_module_rounds_as_the_nodes_it_is_exported_to(kind: str) -> None:
    torch.manual_seed(3)
    conv = RoundedConv(torch.nn.Conv2d(5, 4, 3, 2, 1), 2.0, kind).half().eval()
    x = torch.randn(2, 5, 12, 10).half()  # one in twenty is clipped
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(conv, (x,), file, dynamo=False, opset_version=19)
        ours, plain = conv(x).float().numpy(), conv.conv(x).float().numpy()
    session = ort.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    nodes = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0].astype(np.float32)
    assert np.abs(ours - nodes).max() < 0.01
    assert np.abs(ours - plain).max() > 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_bears_it_is_rounded(kind: str) -> None:
    """Input and weights of each chosen convolution, and nothing of the first and last layers, light path or updates."""
    names = rounded_names(network(), kind)
    assert len(names) >= {"int8": 10, "fp8": 5}[kind]
    assert not [n for n in names if re.match(r"stem|out|matte|geometry|gru|attention|light_head|embed|film", n)]
    model = graph(kind)
    rounded = {o: n for n in model.graph.node if n.op_type == "DequantizeLinear" for o in n.output}
    fed = [n for n in model.graph.node if set(n.input) & set(rounded)]
    assert {n.op_type for n in fed} == {"Conv"}
    assert len(fed) == len(names)
    assert len(rounded) == 2 * len(names)
    assert all({n.input[0], n.input[1]} <= set(rounded) for n in fed)


@pytest.mark.parametrize(("kind", "levels"), [("int8", 1.5), ("fp8", 2.5)])
def test_the_live_path_stays_close_and_does_not_drift(kind: str, levels: float) -> None:
    lights = [light(t) for t in range(8)]
    truth = reference(lights)
    pictures = play(session_of(graph(kind)), lights)
    assert worst(pictures, truth)[0] < levels
    assert worst(pictures[-2:], truth[-2:])[0] < levels


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = write_weights(tmp_path / "weights.onnx")
    content = {"weights": hash_of(path), "ranges": ranges()}
    ranges_path(path).write_text(json.dumps(content))
    return path


def test_ranges_are_read(weights: Path) -> None:
    assert read_ranges(weights) == ranges()


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_text("[]"), "holds no ranges"),
        (lambda path: path.write_text(path.read_text()[:-9]), "holds no ranges"),
        (lambda path: path.write_text(json.dumps({"weights": "0" * 64, "ranges": {}})), "other weights"),
    ],
)
def test_no_ranges_are_a_sentence_with_a_way_out(weights: Path, damage, word: str) -> None:
    damage(ranges_path(weights))
    with pytest.raises(RuntimeFailure, match=rf"{word}.*training\.calibrate.*--precision fp16") as info:
        read_ranges(weights)
    assert "\n" not in str(info.value)


def test_other_ranges_are_another_engine(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", fake_tensorrt.module())

    def key(precision: str) -> str:
        wanted = Wanted(weights, "tensorrt-rtx", precision)  # type: ignore[arg-type]
        made = EngineSupply(wanted, Store(weights.parent), FakeDevice)
        return made.spec(64, 48, False, Card("RTX 4070", (8, 9))).key

    before = {precision: key(precision) for precision in ("fp16", "int8", "fp8")}
    assert len(set(before.values())) == 3
    ranges_path(weights).write_text(ranges_path(weights).read_text().replace("}", "} "))
    assert key("fp16") == before["fp16"]
    assert key("int8") != before["int8"]
    ranges_path(weights).unlink()
    with pytest.raises(RuntimeFailure, match="or take fp16"):
        key("fp8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_relighter_passes_its_verification_in_8_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    shipped = model_path("live")
    if not shipped.is_file():
        pytest.skip("livelight/models/relighter.onnx, the trained relighter, is not in this checkout")
    path = Path(shutil.copy(shipped, tmp_path))
    shutil.copy(ranges_path(shipped), tmp_path)
    if json.loads(ranges_path(path).read_bytes())["weights"] != hash_of(path):
        pytest.skip("the shipped ranges are of older weights: run python -m training.calibrate")
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", fake_tensorrt.module())
    monkeypatch.setattr("trt_engines.verify.FRAMES", 5)
    said: list[str] = []
    wanted = Wanted(path, "tensorrt-rtx", kind)  # type: ignore[arg-type]
    supply = EngineSupply(wanted, Store(tmp_path / "engines"), FakeDevice, said.append)
    assert supply.engine(160, 96, False).is_file()
    assert re.search(r"Verified: \d\d\.\d dB", said[-1]), said
