"""Every engine gives what the torch reference gives, over a sequence, so that a drift of the state shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from livelight.errors import RuntimeFailure
from livelight.relight import model_path
from livelight.runtimes import NetworkOutput, Runtime, open_runtime
from livelight.runtimes.openvino_runtime import has_amx

FRAMES = 12


def sequence(height: int, width: int) -> list[np.ndarray]:
    """A smooth random picture that moves and flickers, uint8 (h, w, 3)."""
    rng = np.random.default_rng(3)
    base = rng.random((height // 16, width // 16, 3)).repeat(16, 0).repeat(16, 1)
    flicker = 1 + 0.2 * rng.standard_normal(FRAMES)
    return [(np.roll(base, 3 * t, 1) * flicker[t]).clip(0, 1).__mul__(255).astype(np.uint8) for t in range(FRAMES)]


def lights() -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [rng.gamma(0.5, 1.0, (16, 16, 3)).astype(np.float32) for _ in range(FRAMES)]


def play(runtime: Runtime, height: int, width: int) -> list[NetworkOutput]:
    state, outputs = None, []
    for image, light in zip(sequence(height, width), lights(), strict=True):
        out = runtime.run(image, light, state)
        state = out.state
        copied = (out.gain.copy(), out.offset.copy(), out.matte.copy(), out.normals.copy(), out.source_light.copy())
        outputs.append(NetworkOutput(*copied, out.state))
    return outputs


@pytest.fixture(scope="module")
def reference() -> list[NetworkOutput]:
    return play(open_runtime("torch", model_path("live")), 96, 160)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_engines_agree_over_a_sequence(engine: str, reference: list[NetworkOutput]) -> None:
    outputs = play(open_runtime(engine, model_path("live")), 96, 160)
    close = 0.02 if engine == "openvino" and has_amx() else 1e-3
    for ours, truth in zip(outputs, reference, strict=True):
        for name in ("gain", "offset", "matte", "normals"):
            a, b = getattr(ours, name), getattr(truth, name)
            assert a.shape == b.shape
            assert np.sqrt(np.mean((a - b) ** 2)) < close * max(1.0, float(b.std())), name


def test_the_state_matters(reference: list[NetworkOutput]) -> None:
    runtime = open_runtime("torch", model_path("live"))
    without = runtime.run(sequence(96, 160)[-1], lights()[-1], None)
    assert np.abs(without.gain - reference[-1].gain).max() > 1e-3


def test_size_changes_in_mid_stream() -> None:
    runtime = open_runtime("openvino", model_path("live"))
    for size in ((96, 160), (160, 96), (96, 160)):
        out = runtime.run(np.zeros((*size, 3), np.uint8), np.ones((16, 16, 3), np.float32), None)
        assert out.gain.shape == (*size, 3)


ENGINES = ["openvino", "onnxruntime", "torch"]
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
BROKEN = b"\x08\x07 livelight.size and then nothing that any engine can read"


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
@pytest.mark.parametrize(
    "content", [b"", b"not a model", b"speaks of livelight.size", PNG, b"\x08", b"\x08\x07 others"]
)
def test_a_foreign_file_is_refused_in_one_sentence(
    engine: str, content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "foreign.onnx"
    path.write_bytes(content)
    with pytest.raises(RuntimeFailure) as info:
        open_runtime(engine, path)
    wanted = "live or an .onnx file made by training.export."
    assert str(info.value) == f"{path} is no ONNX relighter, or is cut off; expected {wanted}"
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_a_network_that_is_no_relighter_is_refused() -> None:
    with pytest.raises(RuntimeFailure, match="is no ONNX relighter"):
        open_runtime("auto", model_path("live").with_name("selfie_segmentation.onnx"))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_broken_relighter_is_refused_in_one_sentence(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(BROKEN)
    with pytest.raises(RuntimeFailure, match="broken") as info:
        open_runtime(engine, path)
    assert "\n" not in str(info.value)


def test_a_missing_model_is_named() -> None:
    with pytest.raises(RuntimeFailure, match=r"nowhere\.onnx does not exist; expected .*\.$"):
        open_runtime("auto", Path("nowhere.onnx"))


def test_auto_says_why_it_rejected(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(BROKEN)
    with pytest.raises(RuntimeFailure) as info:
        open_runtime("auto", path)
    assert all(name in str(info.value) for name in ("openvino:", "onnxruntime:", "torch:"))
