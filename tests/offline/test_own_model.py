"""The diffusion model that ships: no torch, a mirror, windows, and the live path around it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from livelight.errors import SettingsError
from offline.clip_graph import open_graph
from offline.own_model import OwnDenoiser, noise_levels, open_own_model, weights_folder
from offline.settings import DiffusionSettings
from tests.clips import moving, pictures_of, write_clip

SIZE = (64, 48)


@pytest.fixture(scope="module")
def model():
    return open_own_model(DiffusionSettings(device="cpu"), SIZE, threads=1)


def told(model, frames, seed=0):
    random = np.random.default_rng(seed)
    return {n: random.random((frames, *s), np.float32) for n, s in model.condition_shapes(*SIZE).items()}


def noise(model, frames, seed=3):
    return 80 * np.random.default_rng(seed).standard_normal((frames, *model.latent_shape(*SIZE))).astype(np.float32)


def test_a_mirrored_clip_gets_the_mirrored_answer(model):
    condition, x = told(model, 3), noise(model, 3)
    other = {n: np.ascontiguousarray(v[..., ::-1]) for n, v in condition.items() if not n[-1].isdigit()}
    for stride in ("8", "16"):
        other["state" + stride], other["mirrored" + stride] = (
            condition["mirrored" + stride],
            condition["state" + stride],
        )
    answer = model.denoiser(x, 80.0, condition)
    assert np.isfinite(answer).all()
    turned = model.denoiser(np.ascontiguousarray(x[..., ::-1]), 80.0, other)
    np.testing.assert_allclose(turned[..., ::-1], answer, atol=1e-3)


def test_frames_speak_to_each_other_through_the_temporal_layers_alone(model):
    condition, x = told(model, 5), noise(model, 5)
    before = model.denoiser(x, 80.0, condition)
    condition["image"][4] = 1 - condition["image"][4]
    change = np.abs(model.denoiser(x, 80.0, condition) - before).max((1, 2, 3))
    assert change[4] > 0.1
    assert 0 < change[3] < change[4]
    alone = model.denoiser(x[:4], 80.0, {n: v[:4] for n, v in condition.items()})
    condition["image"][4] = 0
    again = model.denoiser(x[:4], 80.0, {n: v[:4] for n, v in condition.items()})
    np.testing.assert_array_equal(alone, again)


def test_iie_of_one_is_the_model_and_of_three_is_near_it(model):
    graph = open_graph(weights_folder() / "diffusion.onnx", "cpu", 1)
    condition, x = told(model, 2), noise(model, 2)
    plain = model.denoiser(x, 80.0, condition)
    np.testing.assert_allclose(OwnDenoiser(graph, 1)(x, 80.0, condition), plain, atol=1e-5)
    three = OwnDenoiser(graph, 3)(x, 80.0, condition)
    assert 0 < np.abs(three - plain).mean() < 5


def test_what_smaller_pictures_say_is_added(model):
    condition, x = told(model, 2), noise(model, 2)
    without = model.denoiser(x, 80.0, condition | {"views": np.zeros_like(condition["views"])})
    np.testing.assert_allclose(model.denoiser(x, 80.0, condition), without + condition["views"], atol=1e-4)


def test_noise_levels_fall_to_nothing():
    assert noise_levels(1) == (80.0, 0.0)
    four = noise_levels(4)
    assert len(four) == 5
    assert list(four) == sorted(four, reverse=True)


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(SettingsError, match="--size 64x64"):
        open_own_model(DiffusionSettings(size="64x64"), SIZE)
    with pytest.raises(SettingsError, match="overlap"):
        open_own_model(DiffusionSettings(window=4, overlap=4), SIZE)


WITHOUT_TORCH = """
import sys
for name in ("torch", "diffusers", "transformers", "safetensors", "onnx"):
    sys.modules[name] = None
sys.argv = ["livelight", "relight", *sys.argv[1:], "--model", "diffusion", "--window", "4", "--overlap", "2"]
from pipelines import cli
cli.main()
"""


def test_the_base_install_is_enough(tmp_path: Path):
    source = write_clip(tmp_path / "in.mp4", moving(6))
    target = tmp_path / "out.mp4"
    command = [sys.executable, "-c", WITHOUT_TORCH, str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "about 6 frames in 2 windows" in done.stderr
    assert "GB of its memory" in done.stderr
    assert len(pictures_of(target)) == 6
    assert not (tmp_path / "out.mp4.work").exists()
