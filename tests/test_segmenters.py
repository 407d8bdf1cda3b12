"""What finds the person: our engines and MediaPipe itself must say the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from livelight.errors import LiveLightError, MissingExtra, RuntimeFailure
from livelight.segmenters import open_segmenter
from livelight.segmenters.selfie import SelfieSegmenter, without_doubtful_islands
from livelight.sources.file import VideoFileSource
from pipelines.demo import CLIP

ROOT = Path(__file__).parent.parent
ENGINES = ("openvino", "onnxruntime")


@pytest.fixture(scope="module")
def wide() -> np.ndarray:
    """The first frame of the demo clip, (h, w, 3) with a person in it."""
    with closing(VideoFileSource(CLIP)) as source:
        return next(iter(source)).image


@pytest.fixture(scope="module")
def pictures(wide: np.ndarray) -> list[np.ndarray]:
    """One for each of the two networks."""
    h, w = wide.shape[:2]
    return [wide, np.ascontiguousarray(wide[:, (w - h) // 2 : (w + h) // 2])]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Modules that are set to None cannot be imported."""
    return monkeypatch


@pytest.mark.parametrize("engine", ENGINES)
def test_our_engines_say_what_mediapipe_says(engine: str, pictures: list[np.ndarray]) -> None:
    ours, theirs = SelfieSegmenter(engine), open_segmenter("mediapipe")
    for picture in pictures:
        matte, truth = ours.segment(picture), theirs.segment(picture)
        assert matte.dtype == truth.dtype == np.float32
        assert matte.shape == truth.shape
        assert 0.1 < truth.mean() < 0.9
        assert np.abs(matte - truth).max() < 2e-3


def test_nobody_is_found_in_an_empty_room() -> None:
    room = np.tile(np.linspace(60, 190, 320, dtype=np.uint8)[None, :, None], (180, 1, 3))
    matte = open_segmenter().segment(room)
    assert matte.shape == (144, 256)
    assert matte.dtype == np.float32
    assert 0 <= matte.min() <= matte.max() <= 1
    assert matte.mean() < 0.1


def test_the_matte_belongs_to_the_caller(pictures: list[np.ndarray]) -> None:
    segmenter = open_segmenter()
    first = segmenter.segment(pictures[0])
    before = first.copy()
    segmenter.segment(np.zeros_like(pictures[0]))
    assert np.array_equal(first, before)


def test_live_starts_where_mediapipe_cannot_be_imported() -> None:
    code = (
        "import sys\nsys.modules['mediapipe'] = None\nimport numpy\n"
        "from livelight.config import RelightSettings\nfrom livelight.relight import build_relighter\n"
        "build_relighter(RelightSettings()).close()\nprint('open')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout == "open\n", done.stderr


def test_a_choice_of_mediapipe_without_it_names_the_command(without: pytest.MonkeyPatch) -> None:
    without.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(MissingExtra, match=r"pip install 'livelight\[mediapipe\]'"):
        open_segmenter("mediapipe")


def test_another_engine_takes_over_only_if_it_may(without: pytest.MonkeyPatch, wide: np.ndarray) -> None:
    without.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtra, match="openvino"):
        open_segmenter("onnx", "openvino")
    assert open_segmenter("onnx", "torch").segment(wide).mean() > 0.1


def test_where_nothing_works_every_reason_is_told(without: pytest.MonkeyPatch) -> None:
    for module in ("openvino", "onnxruntime", "mediapipe"):
        without.setitem(sys.modules, module, None)
    with pytest.raises(RuntimeFailure, match=r"onnx: .*openvino.*onnxruntime.*; mediapipe: "):
        open_segmenter()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("content", [b"", b"no network", None])
def test_a_broken_file_is_one_sentence(
    engine: str, content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "broken.onnx"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr("livelight.segmenters.selfie.model_file", lambda name: file)
    with pytest.raises(LiveLightError, match=r"broken\.onnx") as raised:
        SelfieSegmenter(engine)
    assert "\n" not in str(raised.value)
    assert "expected" in str(raised.value)


def test_a_cushion_goes_and_a_second_person_and_a_hand_stay() -> None:
    matte = np.zeros((144, 256), np.float32)
    matte[40:140, 40:120] = 1.0  # a person
    matte[60:140, 160:210] = 0.8  # a second one, less sure
    matte[10:25, 130:145] = 1.0  # a raised hand
    matte[110:130, 225:245] = 0.7  # a cushion
    out = without_doubtful_islands(matte)
    assert not out[105:135, 220:250].any()
    out[110:130, 225:245] = 0.7
    assert np.array_equal(out, matte)
