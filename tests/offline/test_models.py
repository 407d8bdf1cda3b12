"""The real loaders on tiny random weights in the published layout."""

import shutil

import numpy as np
import pytest
import torch
from diffusers import MotionAdapter, UNet2DConditionModel, UNetMotionModel
from diffusers.models.resnet import ResnetBlock2D
from safetensors.torch import load_file, save_file

from livelight.errors import LiveLightError, RuntimeFailure, SettingsError
from offline.brightnesses import brightnesses
from offline.denoiser import Shot
from offline.light_tokens import LightTokens, light_picture
from offline.memory import Need, choose_placing
from offline.models import open_model
from offline.notice import notice_file
from offline.settings import DiffusionSettings
from tests.offline.tiny_weights import WIDTH, tiny_config

SIZE = (64, 64)


def opened(name, weights, size=SIZE, **settings):
    return open_model(name, DiffusionSettings(weights=str(weights), device="cpu", **settings), size)


def noise_of(*shape):
    return np.random.default_rng(5).standard_normal(shape, np.float32)


def shots(count, seed=0):
    random = np.random.default_rng(seed)

    def picture():
        return random.integers(0, 255, (64, 64, 3), np.uint8)

    mattes = random.random((count, 64, 64), np.float32)
    light = random.random((count, 8, 16, 3), np.float32) * 4
    return [Shot(picture(), mattes[k], picture(), light[k], picture()) for k in range(count)]


@pytest.mark.parametrize("name", ["relightvid", "ic-light-fc", "ic-light-fcon", "ic-light-fbc"])
def test_every_model_runs_from_the_published_layout(tiny, name):
    model = opened(name, tiny)
    assert (model.name, model.latent_shape(64, 96)) == (name, (4, 12, 8))
    condition = model.encode(shots(3))
    shapes = model.condition_shapes(64, 64)
    assert {n: tuple(t.shape[1:]) for n, t in condition.items()} == shapes
    assert ("background" in shapes) == (name in ("relightvid", "ic-light-fbc"))
    x = noise_of(3, 4, 8, 8)
    denoised = model.denoiser(x, 2.0, condition)
    assert denoised.shape == x.shape
    assert np.isfinite(denoised).all()
    assert np.array_equal(denoised, model.denoiser(x, 2.0, condition))
    pictures = model.decode(denoised)
    assert (pictures.dtype, pictures.shape) == (np.uint8, (3, 64, 64, 3))


def reference_network(tiny):
    """RelightVid's load order by diffusers' own means: base, motion adapter, conv_in 4 -> 12, offsets on every key."""
    plain = UNet2DConditionModel.from_pretrained(tiny / "base" / "unet")
    adapter = MotionAdapter((8, 16), motion_layers_per_block=1, motion_norm_num_groups=4, use_motion_mid_block=False)
    motion = torch.load(tiny / "relvid_mm_sd15_fbc.pth", weights_only=True)
    renamed = {}
    for name, tensor in motion.items():
        if "pos_encoder" in name:
            continue
        name = name.removeprefix("unet.").replace(".temporal_transformer", "")
        for k in (0, 1):
            name = name.replace(f".attention_blocks.{k}", f".attn{k + 1}").replace(f".norms.{k}", f".norm{k + 1}")
        renamed[name.replace(".ff_norm", ".norm3")] = tensor
    missing = adapter.load_state_dict(renamed, strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith("pe") for name in missing.missing_keys)
    deltas = load_file(tiny / "iclight_sd15_fbc.safetensors")
    wide = torch.zeros(8, 12, 3, 3)
    wide[:, :4] = plain.conv_in.weight.data
    plain.conv_in = torch.nn.Conv2d(12, 8, 3, padding=1)
    plain.conv_in.weight.data = wide
    state = {n: t + deltas[n] if n != "conv_in.bias" else t for n, t in plain.state_dict().items()}
    base_bias = UNet2DConditionModel.from_pretrained(tiny / "base" / "unet").conv_in.bias
    plain.load_state_dict(state | {"conv_in.bias": base_bias + deltas["conv_in.bias"]})
    plain.register_to_config(in_channels=12)
    return UNetMotionModel.from_unet2d(plain, adapter).eval()


def test_the_loaded_weights_are_those_of_the_published_load_order(tiny):
    ours = opened("relightvid", tiny).denoiser._network._unet.state_dict()
    theirs = reference_network(tiny).state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], msg=name)


def test_guided_noise_is_three_passes_over_the_network(tiny):
    """Written out: nothing, pictures, pictures and text; [noise, foreground, background]; eps -> clean estimate."""
    model = opened("relightvid", tiny)
    condition, noised, sigma = model.encode(shots(5)), noise_of(5, 4, 8, 8), 3.0
    network, texts = model.denoiser._network._unet, model.denoiser._texts
    x = torch.from_numpy(noised)
    fg, bg = (torch.from_numpy(c) for c in (condition["foreground"][:, 0], condition["background"]))
    trained = model.denoiser._trained
    t = int(np.abs(np.log(trained) - np.log(sigma)).argmin())

    def noise(fg, bg, text):
        sample = torch.cat([x / 10**0.5, fg, bg], 1).transpose(0, 1)[None]
        return network(sample, t, text.expand(5, -1, -1), return_dict=False)[0][0].transpose(0, 1)

    with torch.no_grad():
        e1 = noise(fg * 0, bg * 0, texts["none"])
        e2 = noise(fg, bg, texts["none"])
        e3 = noise(fg, bg, texts["prompt"])
    expected = x - sigma * (e1 + 1.2 * (e2 - e1) + 7.5 * (e3 - e2))
    np.testing.assert_allclose(model.denoiser(noised, sigma, condition), expected.numpy(), atol=1e-4, rtol=1e-4)
    assert not torch.equal(texts["none"], texts["prompt"])


def test_iie_averages_the_noise_of_brightness_variants(tiny):
    model, three = opened("relightvid", tiny), opened("relightvid", tiny, iie=3)
    some, x = shots(2), noise_of(2, 4, 8, 8)
    condition = three.encode(some)
    np.testing.assert_allclose(
        condition["foreground"][:, 1], model.encode(some)["foreground"][:, 0], atol=1e-5, rtol=1e-4
    )
    each = []
    for k in range(3):
        each.append(model.denoiser(x, 2.0, condition | {"foreground": condition["foreground"][:, k : k + 1]}))
    np.testing.assert_allclose(three.denoiser(x, 2.0, condition), sum(each) / 3, atol=1e-4, rtol=1e-4)
    assert brightnesses(3) == (0.5, 1.0, 1.5)


def light_weights(folder):
    """A HDR branch, small in the middle, under this project's names."""
    save_file(LightTokens(WIDTH, 16).state_dict(), folder / "light_tokens.safetensors")
    return folder


def test_the_light_goes_in_per_frame(tiny, tmp_path):
    model = opened("relightvid", tiny, light_weights=str(light_weights(tmp_path)))
    some = shots(4)
    condition = model.encode(some)
    assert condition.keys() == {"foreground", "light"}  # the HDR branch was built on the 8-channel network
    x = noise_of(4, 4, 8, 8)
    before = model.denoiser(x, 2.0, condition)
    turned = condition["light"].copy()
    turned[2] = -turned[2]
    change = model.denoiser(x, 2.0, condition | {"light": turned}) - before
    change = np.abs(change).max((1, 2, 3))
    assert change.argmax() == 2
    assert change[2] > 0


def test_the_light_picture_is_what_the_paper_describes():
    dark = light_picture(np.zeros((32, 64, 3), np.float32))
    assert dark.shape == (3072,)
    assert (dark == -1).all()
    halves = np.zeros((32, 64, 3), np.float32)
    halves[:, 32:, 0] = 100
    seen = light_picture(halves).reshape(3, 32, 32)
    assert seen[0, :, -1].min() > 0.95
    assert seen[0, :, 0].max() == seen[1:].max() == -1


def without(tiny, tmp_path, *names):
    """A copy of the weights in which some files are not there."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    for name in names:
        shutil.rmtree(copy / name) if (copy / name).is_dir() else (copy / name).unlink()
    return copy


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("relvid_mm_sd15_fbc.pth", "motion weights"),
        ("iclight_sd15_fbc.safetensors", "iclight_sd15_fbc.safetensors"),
        ("base", "--base"),
        ("base/unet", "unet/config.json"),
        ("base/vae", "the VAE"),
        ("base/tokenizer", "the tokenizer"),
        ("base/text_encoder", "the text encoder"),
    ],
)
def test_what_is_missing_is_named(tiny, tmp_path, gone, words):
    with pytest.raises(LiveLightError, match=words) as caught:
        opened("relightvid", without(tiny, tmp_path, gone))
    assert "\n" not in str(caught.value)


def test_8_and_12_channel_weights_mixed_up(tiny, tmp_path):
    fc, fbc = (str(tiny / f"iclight_sd15_{kind}.safetensors") for kind in ("fc", "fbc"))
    with pytest.raises(RuntimeFailure, match=r"takes 8 input channels .*foreground only.* needs 12 .*fbc"):
        opened("relightvid", tiny, ic_light=fc)
    with pytest.raises(RuntimeFailure, match=r"takes 12 input channels .*background.* needs 8"):
        opened("ic-light-fc", tiny, ic_light=fbc)
    with pytest.raises(RuntimeFailure, match="12"):
        opened("relightvid", tiny, ic_light=fbc, light_weights=str(light_weights(tmp_path)))


def test_other_misfits(tiny, tmp_path):
    text = tmp_path / "relvid_mm_sd15_fbc.pth"
    text.write_text("no weights")
    with pytest.raises(RuntimeFailure, match="download it again"):
        opened("relightvid", text, ic_light=str(tiny), base=str(tiny / "base"))
    motion = torch.load(tiny / "relvid_mm_sd15_fbc.pth", weights_only=True)
    motion.pop(next(iter(motion)))
    torch.save(motion, text)
    with pytest.raises(RuntimeFailure, match="1 are missing"):
        opened("relightvid", text, ic_light=str(tiny), base=str(tiny / "base"))
    with pytest.raises(SettingsError, match="--overlap"):
        opened("relightvid", tiny, window=4, overlap=4)
    with pytest.raises(RuntimeFailure, match="hub cannot be reached"):
        opened("relightvid", "someone/some-model", ic_light=str(tiny), base=str(tiny / "base"))
    with pytest.raises(SettingsError, match="--weights"):
        open_model("relightvid", DiffusionSettings(), SIZE)


def test_the_licence_is_shown_once(tiny):
    said = []
    settings = DiffusionSettings(weights=str(tiny), device="cpu")
    for _ in range(2):
        open_model("relightvid", settings, SIZE, said.append)
    assert len(said) == 1
    assert "CC BY-NC-SA" in said[0]
    assert notice_file("relightvid").exists()


def real_need(frames=16, side=512, value=4):
    return Need(1_370_000_000 * value, 335_000_000, value, frames, (side // 8) ** 2)


def test_the_placing_follows_the_free_memory():
    need = real_need(value=2)
    assert choose_placing(need, 80_000_000_000, "cuda") == "whole"
    assert choose_placing(need, need.peak("whole") - 1, "cuda") == "by groups"
    with pytest.raises(RuntimeFailure, match=r"--window \d+ would fit"):
        choose_placing(need, need.peak("by groups") - 1, "cuda")


@pytest.mark.parametrize("free_gb", [1.5, 7, 7.6, 8])
def test_what_is_said_to_fit_fits(free_gb):
    import re

    free = int(free_gb * 1e9)
    with pytest.raises(RuntimeFailure) as caught:
        choose_placing(real_need(), free, "cpu")
    words = str(caught.value)
    window, side = re.search(r"--window (\d+)", words), re.search(r"--size (\d+)", words)
    if window:
        smaller = real_need(int(window[1]), int(side[1]) if side else 512)
        assert choose_placing(smaller, free, "cpu") == "whole"
    else:
        assert "bf16" in words


def test_norms_in_the_loaded_network_are_corrected(tiny):
    network = opened("relightvid", tiny).denoiser._network._unet
    blocks = [m for m in network.modules() if isinstance(m, ResnetBlock2D)]
    assert all(type(m.norm1).__name__ == type(m.norm2).__name__ == "NormAcrossFrames" for m in blocks)
    assert tiny_config()["layers_per_block"] == 1
