"""``livelightrelight`` in real GStreamer pipelines, on the demo clip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from livelight.errors import MissingSystemPackage, RuntimeFailure
from livelight.preset_store import PresetStore
from pipelines.demo import CLIP
from pipelines.gstreamer.environment import element_environment
from tests.clips import pictures_of, write_clip

ROOT = Path(__file__).parents[2]
FACE_LEFT, FACE_RIGHT = (slice(330, 480), slice(560, 620)), (slice(330, 480), slice(690, 750))


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """The environment in which GStreamer finds the element; skips where it cannot."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVELIGHT_CACHE", str(home / "cache"))
        try:
            found = element_environment()
        except (MissingSystemPackage, RuntimeFailure) as exc:
            pytest.skip(str(exc))
    PresetStore(home / "config" / "presets").save("full", {"env": "split", "intensity": 1.0})
    return os.environ | found | {"LIVELIGHT_CONFIG": str(home / "config")}


@pytest.fixture
def launch(surroundings):
    def run(*words, **variables):
        command = ["gst-launch-1.0", "-q", *" ".join(map(str, words)).split()]
        return subprocess.run(
            command, env=surroundings | variables, capture_output=True, text=True, timeout=900, check=False, cwd=ROOT
        )

    return run


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The first pictures of the demo clip, at times of their own."""
    pictures = [picture for _, picture in islice(pictures_of(CLIP), 5)]
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_clip(path, pictures, time_base=Fraction(1, 600), pts=[0, 20, 45, 60, 80], options={"crf": "4"})


def relit_clip(launch, clip, target, words):
    done = launch(
        f"filesrc location={clip} ! decodebin ! videoconvert ! livelightrelight {words} ! "
        f"videoconvert ! jpegenc quality=95 ! qtmux ! filesink location={target}"
    )
    assert done.returncode == 0, done.stderr
    return pictures_of(target)


def side(picture):
    """How much brighter the face's left in the picture is than its right."""
    return picture[FACE_LEFT].mean() / picture[FACE_RIGHT].mean()


def test_the_light_moves_and_times_stay(launch, clip, tmp_path):
    left = relit_clip(launch, clip, tmp_path / "left.mov", "env=split")
    right = relit_clip(launch, clip, tmp_path / "right.mov", "env=split rotate=180")
    source = pictures_of(clip)
    assert len(left) == len(right) == 5
    assert [float(pts) for pts, _ in left] == pytest.approx([float(pts) for pts, _ in source], abs=1e-3)
    assert side(left[-1][1]) > 1.07 * side(source[-1][1])
    assert side(left[-1][1]) > 1.15 * side(right[-1][1])
    room = (slice(0, 300), slice(1000, 1280))
    assert np.abs(left[-1][1][room].astype(int) - source[-1][1][room]).mean() < 3  # JPEG, and a trip through RGB


@pytest.mark.parametrize("width", [322, 323])
def test_rows_that_gstreamer_pads_come_out_where_they_were(launch, tmp_path, width):
    clip = f"videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width={width},height=180 !"
    for name, element in (("in", ""), ("out", "livelightrelight intensity=0 !")):
        done = launch(f"{clip} {element} filesink location={tmp_path / name}")
        assert done.returncode == 0, done.stderr
    before, after = (
        np.fromfile(tmp_path / name, np.uint8).reshape(2, 180, (3 * width + 3) // 4 * 4) for name in ("in", "out")
    )
    assert np.array_equal(before[:, :, : 3 * width], after[:, :, : 3 * width])


def test_the_loader_does_not_go_on_with_freed_memory(launch):
    """What is freed is overwritten at once, so that to use it once more is a crash and not luck."""
    overwritten = {"PYTHONMALLOC": "malloc", "MALLOC_PERTURB_": "85"}
    done = launch("videotestsrc num-buffers=1 ! livelightrelight intensity=0 ! fakesink", **overwritten)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("env=no-such-light", "no-such-light is neither a preset nor a file"),
        ("intensity=2", "intensity: Input should be less than or equal to 1.5, got 2.0"),
        ("rotate=about", "rotate must be degrees"),
        ("model=no.onnx", "the relighter no.onnx does not exist"),
        ("preset=nothing", "There is no preset nothing"),
    ],
)
def test_what_cannot_be_used_is_an_element_error_in_our_words(launch, words, sentence):
    done = launch(f"videotestsrc num-buffers=2 ! videoconvert ! livelightrelight {words} ! fakesink")
    assert done.returncode != 0
    assert f"livelight: {sentence}" in done.stderr
    assert "Traceback" not in done.stderr


def test_properties_change_while_it_runs(surroundings):
    command = [sys.executable, "-m", "tests.pipelines.gstreamer_element", str(CLIP)]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=900, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert min(report["neon"]) > 2
    assert report["off"][-1] == 0  # a few relit frames wait in the queues
    assert [sentence.split(":")[1].split()[0] for sentence in report["refused"]] == ["intensity", "threads"]
    assert report["shown"] == [0.0, "neon", "0.0", 0]
    assert report["preset"][-1] > 1
    assert report["env"] == "split"
    assert report["again"][-1] > 1
    assert report["lives"] == [True, True]
    assert report["latency_ms"] >= 40 + 40  # a frame of the source, a frame of ours


def test_every_setting_is_a_property(surroundings):
    done = subprocess.run(
        ["gst-inspect-1.0", "livelightrelight"], env=surroundings, capture_output=True, text=True, check=True
    )
    for name in ("env", "rotate", "rotate-period", "pitch", "exposure", "intensity", "background", "tone", "runtime"):
        assert f"  {name} " in done.stdout, name


def test_without_our_packages_the_loader_says_so(surroundings, tmp_path):
    bare = surroundings | {
        "GST_REGISTRY": str(tmp_path / "registry"),
        "LIVELIGHT_PYTHONPATH": "",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        ["gst-inspect-1.0", "livelightrelight"], env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "run: livelight gstreamer" in done.stderr
