"""The whole stage, small: needs the assets and Anny (slow to load, so one clip serves all tests)."""

import numpy as np
import pytest

from training.light_stage import assets
from training.light_stage.clip import Clip, is_good, load_clip, save_clip
from training.light_stage.lights import exposed, point_code
from training.light_stage.render import clip_path, render_one, seeds_of
from training.light_stage.splits import split_of_seed

pytestmark = pytest.mark.skipif(not assets.available(), reason="LIVELIGHT_ASSETS does not hold the assets")
pytest.importorskip("anny")
pytest.importorskip("embreex")


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Two frames of 64 x 64."""
    from training.light_stage.stage import render_clip

    return Clip(render_clip(5, 2, 64))


def test_ground_truth_is_sound(clip):
    covered = clip.alpha > 0.5
    assert 0.1 < covered.mean() < 0.95
    assert np.linalg.norm(clip.normals[covered], axis=-1) == pytest.approx(1, abs=5e-3)
    assert clip.albedo.min() >= 0
    assert clip.albedo.max() <= 1
    assert {1, 5} <= set(np.unique(clip.parsing))
    assert np.isfinite(clip.depth[covered]).all()


def test_light_from_the_right_lights_the_right(clip):
    """+x is image right: under a light from +x, normals with x > 0 are brighter than those with x < 0."""
    code = (point_code(np.array([1.0, 0.1, 0.2])) * np.ones(3)).astype(np.float32)
    luminance = clip.relight(code).mean(-1) / np.maximum(clip.albedo.mean(-1), 0.02)
    solid = clip.alpha > 0.9
    x = clip.normals[..., 0]
    assert luminance[solid & (x > 0.4)].mean() > 3 * luminance[solid & (x < -0.4)].mean()


def test_flow_carries_the_picture(clip):
    """Sampling frame 1 at frame 0's positions plus flow gives frame 0 back, better than no flow does."""
    import cv2

    code = exposed(np.ones((16, 16, 3), np.float32))
    first, second = clip.relight(code)
    y, x = np.mgrid[0:64, 0:64].astype(np.float32)
    flow = clip.flow_fwd[0]
    warped = cv2.remap(second, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
    inside = (clip.alpha[0] > 0.95) & ~clip.occ_fwd[0]
    moved = np.abs(flow).max(-1) > 0.1
    assert (inside & moved).sum() >= 20
    assert np.abs(warped - first)[inside & moved].mean() < np.abs(second - first)[inside & moved].mean()


def test_a_broken_clip_is_made_again_and_a_whole_one_is_kept(tmp_path, clip):
    path = clip_path(tmp_path, 5)
    save_clip(path, clip.arrays)
    stamp = path.stat().st_mtime_ns
    assert render_one((tmp_path, 5, 1, 64, False)) == (5, 0.0, "")
    assert path.stat().st_mtime_ns == stamp
    path.write_bytes(path.read_bytes()[:1000])
    _seed, seconds, fault = render_one((tmp_path, 5, 1, 64, False))
    assert seconds > 0
    assert fault == ""
    assert is_good(path)
    assert load_clip(path).shape == (1, 64, 64)


def test_the_benchmark_s_table_has_a_row_a_size_and_its_lights_relight(clip):
    from training.light_stage.bench import light_kinds, relight_ms, table

    kinds = light_kinds(np.random.default_rng(0))
    assert set(kinds) == {"environment", "rotation", "point light"}
    spent = {name: relight_ms(clip, lights) for name, lights in kinds.items()}
    assert min(spent.values()) > 0
    lines = table({64: spent, 128: spent}).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["64", "128"]


def test_seeds_of_one_split():
    assert seeds_of(7, 3) == [7, 8, 9]
    seeds = seeds_of(100, 5, "test")
    assert len(seeds) == 5
    assert [seed for seed in range(100, seeds[-1] + 1) if split_of_seed(seed) == "test"] == seeds
