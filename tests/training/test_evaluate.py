"""What relighters are measured with, on clips made by hand."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from livelight.picture_metrics import warp_error
from livelight.runtimes import NetworkOutput
from training import held_out
from training.dynamic_light import error
from training.evaluate import figures_of, mean_of
from training.held_out import HeldOutClip, typology_angle_deg
from training.methods import RivalError, command, labels, network, nothing, reinhard

SIDE = 48


def test_a_figure_that_a_sample_does_not_have_is_left_out_of_the_mean():
    rows = [{"detail": 0.5, "psnr": 20.0}, {"detail": float("nan"), "psnr": 30.0}]
    assert mean_of(rows) == {"detail": 0.5, "psnr": 25.0, "samples": 2}
    assert np.isnan(mean_of(rows[1:])["detail"])


def test_models_of_one_name_are_told_apart_by_their_folders():
    assert labels([Path("a/x.onnx"), Path("b/y.onnx")]) == {"x": Path("a/x.onnx"), "y": Path("b/y.onnx")}
    assert list(labels([Path("a/x.onnx"), Path("b/x.onnx"), Path("z.onnx")])) == ["a/x", "b/x", "z"]
    with pytest.raises(ValueError, match="cannot be told apart"):
        labels([Path("a/x.onnx"), Path("a/x.onnx")])


@pytest.fixture
def clip():
    rng = np.random.default_rng(0)
    image = rng.random((2, SIDE, SIDE, 3), dtype=np.float32) * 0.3 + 0.2
    image[1] = np.roll(image[0], 2, axis=1)
    flow = np.zeros((1, SIDE, SIDE, 2), np.float32)
    flow[..., 0] = -2  # x of frame 1 was 2 pixels further left in frame 0
    seen = np.ones((1, SIDE, SIDE, 1), np.float32)
    seen[:, :, :3] = 0
    arrays = {
        "image": image,
        "target": image * np.float32(1.5),
        "alpha": np.ones((2, SIDE, SIDE, 1), np.float32),
        "flow_bwd": flow,
        "seen": seen,
        "target_light": np.full((16, 16, 3), (0.1, 0.2, 0.6), np.float32),
    }
    return HeldOutClip(arrays, "tan")


def test_a_perfect_relighter_scores_full(clip):
    figures = figures_of(list(clip["target"]), clip)
    assert figures["psnr"] == 99
    assert figures["detail"] == pytest.approx(1, abs=1e-4)
    assert figures["warp"] < 1e-5  # content that moves along the flow has no warp error


def test_a_network_may_see_smaller_pictures(clip):
    sides = []

    class Brighter:
        def run(self, image, light, state):
            sides.append(image.shape[:2])
            gain = np.full(image.shape, 1.5, np.float32)
            return NetworkOutput(gain, gain * 0, gain[..., 0], gain, light, ())

    outputs = network(Brighter(), part=0.7)(clip["image"], clip["alpha"], clip["target_light"])
    assert sides == [(32, 32)] * 2
    assert figures_of(outputs, clip)["psnr"] > 50  # the picture is rounded to 8 bits


@pytest.mark.parametrize("alike", [False, True])
def test_people_can_be_compared_under_the_same_lights(monkeypatch, alike):
    def drawn(footage, panoramas, crop, frames, rng, lights):
        return {"alpha": torch.ones(1, 1, 30, 30), "light": torch.full((1, 1, 1), rng.random())}

    for name in ("load_clip", "Footage", "Panoramas", "panoramas_of", "tone_of"):
        monkeypatch.setattr(held_out, name, lambda _: "tan")
    monkeypatch.setattr(held_out, "clips_of", lambda *_: [Path("clip_000003.npz"), Path("clip_000008.npz")])
    monkeypatch.setattr(held_out, "sample", drawn)
    lights = [clip["light"].item() for clip in held_out.held_out_clips(Path(), "test", 2, 30, alike=alike)]
    assert lights[0] != lights[1]
    assert (lights[:2] == lights[2:]) == alike


def test_dressed_people_wear_what_they_wear_each_time(monkeypatch):
    """Light and camera are those of the same sample undressed; clothes are others, and the same in every run."""
    alpha = torch.ones(1, 1, 30, 30)
    grey = torch.full((1, 3, 30, 30), 0.5)
    dyes = []

    def drawn(footage, panoramas, crop, frames, rng, lights):
        pictures = {name: grey for name in ("image", "target", "albedo")}
        return (
            pictures
            | {"alpha": alpha, "cloth": alpha, "flow_bwd": torch.zeros(0, 30, 30, 2)}
            | {"light": torch.full((1, 1, 1), rng.random())}
        )

    arrays = {"albedo": np.full((9, 3), 0.2, np.float16), "label": np.full(9, 5, np.uint8)}
    for name in ("Panoramas", "panoramas_of", "tone_of"):
        monkeypatch.setattr(held_out, name, lambda _: "tan")
    monkeypatch.setattr(held_out, "load_clip", lambda _: SimpleNamespace(arrays=arrays))
    monkeypatch.setattr(held_out, "Footage", lambda _, dye=None: dyes.append(dye))
    monkeypatch.setattr(held_out, "clips_of", lambda *_: [Path("clip_000003.npz")])
    monkeypatch.setattr(held_out, "sample", drawn)
    plain, once, again = (list(held_out.held_out_clips(Path(), "test", 3, 30, dressed=d)) for d in (False, True, True))
    for a, b, c in zip(plain, once, again, strict=True):
        assert a["light"] == b["light"]
        assert (a["image"] != b["image"]).any()
        assert (b["image"] == c["image"]).all()
    assert dyes[0] is None
    assert (dyes[1] == dyes[2]).all()


def test_a_wrong_exposure_costs_psnr_but_not_the_scale_invariant_one(clip):
    figures = figures_of(list(clip["image"]), clip)
    assert figures["psnr"] < 20
    assert figures["psnr_si"] > figures["psnr"] + 5


def test_flicker_is_a_warp_error(clip):
    before, after = clip["image"]
    assert warp_error(before, after + np.float32(0.1), clip["flow_bwd"][0], clip["seen"][0, ..., 0]) == pytest.approx(
        0.1
    )


def test_colour_transfer_takes_the_lights_colour(clip):
    (out, _) = reinhard(clip["image"], clip["alpha"], clip["target_light"])
    assert out[..., 2].mean() > out[..., 0].mean() + 0.1


def test_a_still_output_has_no_dynamic_error(clip):
    moving = np.stack([np.full((SIDE, SIDE, 3), 0.4 + 0.02 * (k % 2), np.float32) for k in range(10)])
    alphas = np.ones((10, SIDE, SIDE, 1), np.float32)
    assert error(nothing, moving, alphas, clip["target_light"]) == pytest.approx(0.02, rel=1e-3)
    assert error(lambda i, a, c: [i[0]] * len(i), moving, alphas, clip["target_light"]) == 0


def test_a_rival_runs_as_a_command(clip, tmp_path):
    script = tmp_path / "rival.py"
    script.write_text(
        "import sys, cv2\nsource, environment, out = sys.argv[1:]\n"
        "light = cv2.imread(environment, cv2.IMREAD_UNCHANGED).mean((0, 1))\n"
        "cv2.imwrite(out, cv2.imread(source) * (light / light.max()))\n"
    )
    method = command(f"{sys.executable} {script} {{source}} {{environment}} {{out}}")
    out = method(clip["image"][:1], clip["alpha"][:1], clip["target_light"])[0]
    expected = clip["image"][0] * (np.float32([0.1, 0.2, 0.6]) / np.float32(0.6))
    assert np.abs(out - expected).max() < 0.02


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import sys; sys.exit('no licence')", "no licence"),
        ("pass", "no picture"),
        ("import time; time.sleep(60)", "did not"),
    ],
)
def test_a_rival_that_fails_is_named(clip, tmp_path, program, told):
    script = tmp_path / "rival.py"
    script.write_text(program)
    method = command(f"{sys.executable} {script} {{out}}", timeout_s=5 if "sleep" in program else 600)
    with pytest.raises(RivalError, match=told):
        method(clip["image"], clip["alpha"], clip["target_light"])


def test_light_skin_has_the_larger_angle():
    light, dark = typology_angle_deg(np.float32([0.6, 0.4, 0.3])), typology_angle_deg(np.float32([0.08, 0.04, 0.025]))
    assert light > 28
    assert dark < -30
