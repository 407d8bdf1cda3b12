"""What a diffusion model can be told, as part of the one schema of settings. Inert, and free of torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from livelight.errors import SettingsError

DIFFUSION_MODELS = ("relightvid", "ic-light-fc", "ic-light-fcon", "ic-light-fbc")
"""Models that need weights from the user."""


def is_diffusion(model: str) -> bool:
    """Whether a model's name means one of this package; ``diffusion`` is the project's own."""
    return model == "diffusion" or model in DIFFUSION_MODELS


class DiffusionSettings(BaseModel):
    """Weights, sampling and memory of the video diffusion models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: str | None = Field(
        None,
        description="relightvid: the motion weights relvid_mm_sd15_fbc.pth, as a file, a folder that holds it, or a "
        "hub id (OWNER/NAME).",
    )
    ic_light: str | None = Field(
        None, description="IC-Light's iclight_sd15_*.safetensors: file, folder or hub id; default: beside --weights."
    )
    base: str | None = Field(
        None,
        description="Stable Diffusion 1.5 (Realistic Vision 5.1) in the diffusers layout: folder or hub id; default: "
        "the folder base beside --weights.",
    )
    light_weights: str | None = Field(
        None, description="relightvid: weights of the HDR branch, if you have some; the light then goes in per frame."
    )
    prompt: str | None = Field(None, description="What the picture shall look like; each model has a default.")
    negative: str | None = Field(None, description="What it shall not look like.")
    image_scale: float = Field(1.2, ge=0, le=30, description="relightvid: weight of the pictures in guidance.")
    text_scale: float | None = Field(
        None, ge=0, le=30, description="Weight of the prompt in guidance: relightvid 7.5, ic-light fc, fcon 2, fbc 7."
    )
    light_scale: float = Field(1.5, ge=0, le=30, description="relightvid with --light-weights: weight of the light.")
    iie: int = Field(
        1, ge=1, le=9, description="Illumination-invariant ensemble: brightness variants per step, 1 = off, 5 = paper."
    )
    steps: int | None = Field(
        None, ge=1, le=1000, description="Denoising steps; diffusion 1, ic-light fc and fcon 25, others 20."
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Another seed, another result; the same seed, the same.")
    window: int = Field(16, ge=1, le=32, description="Frames that the network sees at once (diffusion, relightvid).")
    overlap: int = Field(6, ge=0, le=31, description="Frames that neighbouring windows share (diffusion, relightvid).")
    size: str | None = Field(
        None,
        description="relightvid, ic-light: working size WxH; default: about 512x512 in the clip's shape.",
    )
    detail: float = Field(
        1.0,
        ge=0,
        le=1,
        description="relightvid, ic-light: fine detail, 0 the network's, 1 the source's under the new light.",
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="relightvid, ic-light: arithmetic of the network; auto: bf16 or fp16 on a GPU, else fp32."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the diffusion network runs.")
    cluster: str | None = Field(
        None,
        description="Run the windows on a Ray cluster (extra cluster): its address, or local for one on this machine. "
        "The weights must lie at the same paths on every worker.",
    )
    restart: bool = Field(default=False, description="Throw away unfinished work of an earlier run of this output.")


def check_overlap(settings: DiffusionSettings) -> None:
    """Raises SettingsError if windows would not move on."""
    if settings.overlap >= settings.window:
        raise SettingsError(
            f"--overlap {settings.overlap} must be less than --window {settings.window}; give a smaller one."
        )
