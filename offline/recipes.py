"""What each set of published weights was trained for, and how its authors sample it."""

from __future__ import annotations

from offline.denoiser import Plan
from offline.latent_model import Pass, PixelRule, Recipe
from offline.samplers import F64, karras_sigmas, leading_sigmas, train_sigmas

PROMPTS = {"relightvid": "change the background", "ic-light": "best quality"}
NEGATIVE = {"relightvid": "", "ic-light": "lowres, bad anatomy, bad hands, cropped, worst quality"}


def relightvid_recipe(with_light: bool, image_scale: float, text_scale: float, light_scale: float) -> Recipe:
    """Three passes: nothing, pictures, pictures and text; with weights of the HDR branch a fourth that adds the light.

    The HDR branch was built on the 8-channel network, which has no place for a background.
    """
    passes = [Pass(False, "none"), Pass(True, "none"), Pass(True, "prompt")]
    scales = [image_scale, text_scale]
    if with_light:
        passes.append(Pass(True, "prompt", light=True))
        scales.append(light_scale)
    return Recipe("relightvid", not with_light, PixelRule(128, 127.5), tuple(passes), tuple(scales))


def ic_light_recipe(kind: str, text_scale: float) -> Recipe:
    """Frame by frame, plain guidance; kind fbc has a background, fc and fcon have none."""
    passes = (Pass(True, "none"), Pass(True, "prompt"))
    return Recipe(f"ic-light-{kind}", kind == "fbc", PixelRule(127, 127.0), passes, (text_scale,))


def relightvid_plan(steps: int, window: int, overlap: int) -> tuple[Plan, F64]:
    """DDPM, scaled_linear, leading spacing (20 steps begin at t = 950), fixed_small variance, no clipping."""
    trained = train_sigmas("scaled_linear")
    return Plan("ddpm", leading_sigmas(trained, steps), window, overlap), trained


def ic_light_plan(steps: int) -> tuple[Plan, F64]:
    """DPM++ 2M SDE, Karras spacing, linear betas; a window is one frame."""
    trained = train_sigmas("linear")
    return Plan("dpmpp-2m-sde", karras_sigmas(trained, steps), 1, 0), trained
