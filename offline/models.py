"""From a model's name and the user's weights to a VideoModel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from livelight.errors import RuntimeFailure, SettingsError
from offline.denoiser import Plan, VideoModel
from offline.latent_model import LatentDenoiser, LatentModel, Recipe
from offline.light_tokens import LightTokens
from offline.memory import Need, Placing, choose_placing, chosen_device, chosen_dtype, free_memory
from offline.motion_keys import to_diffusers
from offline.motion_unet import MAX_FRAMES, check_fit, empty_motion_unet, filled
from offline.noise_networks import ClipNetwork, FrameNetwork, image_unet
from offline.notice import show_once
from offline.recipes import NEGATIVE, PROMPTS, ic_light_plan, ic_light_recipe, relightvid_plan, relightvid_recipe
from offline.samplers import F64
from offline.settings import DIFFUSION_MODELS, DiffusionSettings, check_overlap
from offline.stable_diffusion import PictureCoder, load_text, load_unet, load_vae
from offline.weight_files import check_channels, fingerprint, located, read_weights, with_ic_light

LIGHT_FILES = ("light_tokens.safetensors", "light_tokens.pth")
MOTION_FILES = ("relvid_mm_sd15_fbc.pth", "relvid_mm_sd15_fbc.safetensors")


def open_model(
    name: str, settings: DiffusionSettings, size: tuple[int, int], say: Callable[[str], None] = lambda sentence: None
) -> VideoModel:
    """Load the model called ``name`` for pictures of ``size`` (width, height).

    say: told the licence of the weights, once per user. Raises SettingsError for a name or setting that makes no
    sense, RuntimeFailure for weights that are missing or do not fit, or for too little memory.
    """
    if name not in DIFFUSION_MODELS:
        known = ", ".join(DIFFUSION_MODELS)
        raise SettingsError(f"unknown model {name}; expected live, diffusion, a path to an .onnx file, {known}.")
    family = _family(name)
    ic_place, base = _places(family, settings)
    show_once(family, say)
    if family == "relightvid":
        return _relightvid(settings, ic_place, base, size)
    return _ic_light(name, settings, ic_place, base, size)


def _family(name: str) -> str:
    return "relightvid" if name == "relightvid" else "ic-light"


def _places(family: str, settings: DiffusionSettings) -> tuple[str, str]:
    """Where IC-Light's file and the base model are to be looked for."""
    given = settings.weights if family == "relightvid" else settings.ic_light or settings.weights
    if given is None:
        video, image = "--weights (relvid_mm_sd15_fbc.pth)", "--ic-light (iclight_sd15_*.safetensors)"
        option = video if family == "relightvid" else image
        raise SettingsError(
            f"{family} needs weights that are not part of LiveLight; point {option} at a file, a folder or a hub id."
        )
    folder = Path(given).expanduser()
    folder = folder if folder.is_dir() else folder.parent
    base = settings.base or str(folder / "base")
    if settings.base is None and not Path(base).is_dir():
        raise SettingsError(
            f"{family} needs Stable Diffusion 1.5 in the diffusers layout; expected it in {base}, or give --base."
        )
    return settings.ic_light or str(folder), base


@dataclass(frozen=True, slots=True)
class Backbone:
    """The base UNet's configuration, its weights with IC-Light's offsets added, and the files they came from."""

    config: dict[str, Any]
    weights: dict[str, Tensor]
    files: list[Path]


def _relightvid(settings: DiffusionSettings, ic_place: str, base: str, size: tuple[int, int]) -> VideoModel:
    check_overlap(settings)
    recipe = relightvid_recipe(
        settings.light_weights is not None,
        settings.image_scale,
        7.5 if settings.text_scale is None else settings.text_scale,
        settings.light_scale,
    )
    motion = located(settings.weights or "", MOTION_FILES, "RelightVid's motion weights")
    backbone = _backbone(base, ic_place, "fbc" if recipe.background else "fc", recipe.channels)
    device, dtype = _device_and_type(settings)
    empty = empty_motion_unet(backbone.config, recipe.channels)
    unet = filled(empty, backbone.weights | to_diffusers(read_weights(motion)), dtype)
    plan, trained = relightvid_plan(settings.steps or 20, settings.window, settings.overlap)
    coder = load_vae(base, torch.float32, device)
    need, placing = _placing(unet, coder, plan, size, device)
    network = ClipNetwork(unet, device, dtype, placing)
    files = [*backbone.files, motion]
    return _wrapped(settings, base, recipe, plan, trained, network, coder, files, need.peak(placing))


def _ic_light(name: str, settings: DiffusionSettings, ic_place: str, base: str, size: tuple[int, int]) -> VideoModel:
    kind = name.removeprefix("ic-light-")
    default = 7.0 if kind == "fbc" else 2.0
    recipe = ic_light_recipe(kind, default if settings.text_scale is None else settings.text_scale)
    backbone = _backbone(base, ic_place, kind, recipe.channels)
    device, dtype = _device_and_type(settings)
    unet = image_unet(backbone.config, backbone.weights, recipe.channels, dtype)
    plan, trained = ic_light_plan(settings.steps or (20 if kind == "fbc" else 25))
    coder = load_vae(base, torch.float32, device)
    need, placing = _placing(unet, coder, plan, size, device)
    network = FrameNetwork(unet, device, dtype, placing)
    return _wrapped(settings, base, recipe, plan, trained, network, coder, backbone.files, need.peak(placing))


def _backbone(base: str, ic_place: str, kind: str, channels: int) -> Backbone:
    ic_file = located(ic_place, (f"iclight_sd15_{kind}.safetensors",), f"IC-Light's {kind} weights")
    deltas = read_weights(ic_file)
    check_channels(deltas, channels, ic_file)
    config, weights, base_file = load_unet(base)
    return Backbone(config, with_ic_light(weights, deltas, ic_file), [base_file, ic_file])


def _device_and_type(settings: DiffusionSettings) -> tuple[str, torch.dtype]:
    device = chosen_device(settings.device)
    return device, chosen_dtype(settings.precision, device)


def _placing(unet: Any, coder: PictureCoder, plan: Plan, size: tuple[int, int], device: str) -> tuple[Need, Placing]:
    weights, vae = _bytes(unet), _bytes(coder.network)
    pixels = size[0] * size[1] // coder.shrink**2
    need = Need(weights, vae, torch.finfo(unet.dtype).bits // 8, plan.window, pixels)
    held = weights + vae if device == "cpu" else 0  # what is loaded already is no longer free
    return need, choose_placing(need, free_memory(device) + held, device)


def _wrapped(
    settings: DiffusionSettings,
    base: str,
    recipe: Recipe,
    plan: Plan,
    trained: F64,
    network: ClipNetwork | FrameNetwork,
    coder: PictureCoder,
    files: list[Path],
    peak_bytes: int,
) -> VideoModel:
    """The text, the light tokens, and the contract around a network."""
    family = _family(recipe.name)
    prompt = PROMPTS[family] if settings.prompt is None else settings.prompt
    negative = NEGATIVE[family] if settings.negative is None else settings.negative
    words = load_text(base)
    texts = {"none": words(negative), "prompt": words(prompt)}
    tokens = None
    if settings.light_weights and family == "relightvid":
        path = located(settings.light_weights, LIGHT_FILES, "weights of the HDR branch")
        tokens, files = _light_tokens(path, texts["none"].shape[2]), [*files, path]
    denoiser = LatentDenoiser(network, recipe, trained, texts, settings.iie, tokens, MAX_FRAMES)
    mark = f"{recipe} {fingerprint(files)} {prompt!r} {negative!r} iie {settings.iie} {settings.precision}"
    return LatentModel(recipe, denoiser, coder, plan, mark, settings.iie, tokens is not None, peak_bytes)


def _light_tokens(path: Path, width: int) -> LightTokens:
    weights = read_weights(path)
    first = weights.get("layers.0.weight")
    if first is None:
        raise RuntimeFailure(
            f"{path} has no layers.0.weight; expected the HDR branch as offline/light_tokens.py names it."
        )
    tokens = LightTokens(width, first.shape[0])
    check_fit(tokens.state_dict(), weights)
    tokens.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return tokens.eval().requires_grad_(False)


def _bytes(network: torch.nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in network.parameters())
