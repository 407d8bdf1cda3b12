"""Clips on disk: round trip, corruption, relighting as a linear map."""

import numpy as np
import pytest

from training.light_stage.clip import FORMAT, ClipError, is_good, load_clip, save_clip
from training.light_stage.gloss import atlas


def small_clip(seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of a made-up clip: 2 frames of 8 x 8, 12 and 9 covered pixels, rank 4, two hard lights."""
    rng = np.random.default_rng(seed)
    n = 21
    normal = rng.standard_normal((n, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    pixel = np.concatenate([rng.choice(64, 12, replace=False), rng.choice(64, 9, replace=False)])
    return {
        "shape": np.int32([2, 8, 8]),
        "frame_start": np.int64([0, 12, 21]),
        "pixel": pixel.astype(np.int32),
        "alpha": np.full(n, 255, np.uint8),
        "albedo": rng.uniform(0.1, 0.8, (n, 3)).astype(np.float16),
        "normal": normal.astype(np.float16),
        "label": np.ones(n, np.uint8),
        "depth": np.ones(n, np.float16),
        "reflection": normal.astype(np.float16),
        "roughness": rng.uniform(0.1, 0.7, n).astype(np.float16),
        "gloss": np.full(n, 0.04, np.float16),
        "hard": rng.uniform(0, 0.3, (n, 2, 3)).astype(np.float16),
        "hard_dirs": np.float32([[0, 0, 1], [1, 0, 0]]),
        "response": rng.uniform(0, 1, (n, 4)).astype(np.float16),
        "basis": rng.uniform(0, 0.01, (4, 3, 256)).astype(np.float32),
        "flow_fwd": np.ones((n, 2), np.float16),
        "flow_bwd": -np.ones((n, 2), np.float16),
        "occ_fwd": np.zeros(n, np.uint8),
        "occ_bwd": np.zeros(n, np.uint8),
        "split": np.str_("train"),
    }


def test_round_trip(tmp_path):
    path = tmp_path / "clip_000001.npz"
    save_clip(path, small_clip())
    clip = load_clip(path)
    assert clip.shape == (2, 8, 8)
    assert clip.split == "train"
    assert clip.alpha.shape == (2, 8, 8)
    assert (clip.alpha > 0).sum() == 21
    assert clip.flow_fwd.shape == (1, 8, 8, 2)
    assert clip.flow_bwd.min() == -1
    assert not list(tmp_path.glob("*.part"))


def test_a_broken_file_is_found(tmp_path):
    path = tmp_path / "clip_000001.npz"
    save_clip(path, small_clip())
    assert is_good(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert not is_good(path)
    path.write_bytes(bytes(data[: len(data) // 3]))
    with pytest.raises(ClipError, match=r"run training\.light_stage\.render again"):
        load_clip(path)


def test_a_file_of_another_format_is_refused(tmp_path):
    path = tmp_path / "clip_000001.npz"
    with path.open("wb") as file:
        np.savez(file, format=np.int32(FORMAT + 1))
    with pytest.raises(ClipError, match="format"):
        load_clip(path)


def test_relighting_is_linear(tmp_path):
    path = tmp_path / "clip_000001.npz"
    save_clip(path, small_clip())
    clip = load_clip(path)
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0, 1, (2, 16, 16, 3)).astype(np.float32)
    lamp = [(1, np.float32([0.5, 1.0, 2.0]))]
    both = clip.relight(2 * a + b, lamp)
    parts = 2 * clip.relight(a) + clip.relight(b) + clip.relight(np.zeros_like(a), lamp)
    assert both.shape == (2, 8, 8, 3)
    assert both == pytest.approx(parts, rel=1e-4, abs=1e-5)
    assert both[clip.alpha == 0].max() == 0


def test_a_uniform_environment_mirrors_as_itself():
    assert atlas(np.full((16, 16, 3), 0.7)) == pytest.approx(0.7, rel=1e-4)
