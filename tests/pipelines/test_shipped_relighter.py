"""The whole road with the weights that ship: the demo clip, the real segmenter, the real network."""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import pytest

from livelight.config import LightSettings, RelightSettings
from livelight.light_program import build_lighting
from livelight.quality import LEVELS
from livelight.relight import build_relighter
from livelight.sources.file import VideoFileSource
from pipelines.bench import bench
from pipelines.demo import CLIP, before_after, demo


@pytest.fixture(scope="module")
def frames():
    source = VideoFileSource(CLIP)
    yield list(islice(source, 4))
    source.close()


@pytest.fixture(scope="module")
def relighter():
    with build_relighter(RelightSettings()) as shipped:
        yield shipped


def relit(frames, relighter, env, **more):
    lighting, state = build_lighting(LightSettings(env=env, **more), None), None
    for frame in frames:
        out, state = relighter.step(frame, lighting.at(0.0, frame.width, frame.height), state)
    return out.image.astype(float)


FACE_LEFT, FACE_RIGHT = (slice(330, 480), slice(560, 620)), (slice(330, 480), slice(690, 750))


def side(image):
    """How much brighter the face's left in the picture is than its right."""
    return image[FACE_LEFT].mean() / image[FACE_RIGHT].mean()


@pytest.mark.parametrize(("left", "right"), [("window-left", "window-right"), ("softbox-left", "softbox-right")])
def test_the_light_comes_from_where_the_preset_says(frames, relighter, left, right) -> None:
    assert side(relit(frames, relighter, left)) > 1.03 * side(relit(frames, relighter, right))


def test_a_hard_side_light_parts_the_face(frames, relighter) -> None:
    assert side(relit(frames, relighter, "split")) > 1.08 * side(frames[-1].image.astype(float))


def test_turning_the_light_by_half_turns_moves_it_to_the_other_side(frames, relighter) -> None:
    assert side(relit(frames, relighter, "split")) > 1.15 * side(relit(frames, relighter, "split", rotate="180"))


def test_the_room_is_untouched(frames, relighter) -> None:
    out = relit(frames, relighter, "neon")
    assert np.array_equal(out[:300, 1000:], frames[-1].image[:300, 1000:])


def test_bench_reports_every_stage(tmp_path, capsys) -> None:
    out = tmp_path / "bench.json"
    bench(None, "320x180,160x96", 3, True, out, RelightSettings())
    reports = json.loads(out.read_text())
    report, small = reports[0], reports[-1]
    assert [r["level"] for r in reports] == [quality.name for quality in LEVELS] * 2
    assert report["network_width"] > reports[3]["network_width"]
    assert report["model"] == "live"
    assert (small["width"], small["height"]) == (160, 96)
    assert list(report["median_ms"]) == ["decode", "light", "network", "matte beside", "matte", "recombine", "encode"]
    assert all(ms > 0 for ms in report["median_ms"].values())
    assert (report["width"], report["height"], report["frames"]) == (320, 180, 3)
    printed = capsys.readouterr().out
    assert "peak memory" in printed
    assert "320x180" in printed.split("all runs")[1]


def test_demo_writes_what_it_prints(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("pipelines.demo.PRESETS", ("neon",) * 3)
    monkeypatch.setattr(
        "pipelines.demo.relight_all", lambda jobs, *rest: [j.target.write_bytes(CLIP.read_bytes()) for j in jobs]
    )
    demo(tmp_path / "out", quiet=True)
    printed = capsys.readouterr().out.split()
    assert printed[-1].endswith("before_after.png")
    assert all((tmp_path / "out" / name.rsplit("/", 1)[-1]).stat().st_size > 10_000 for name in printed)
    assert before_after(CLIP, tmp_path / "out").shape == (720, 1280, 3)
