"""All that ``livelight relight`` can be told, apart from its files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from livelight.config import RelightSettings
from livelight.errors import SettingsError
from offline.settings import DiffusionSettings, is_diffusion
from pipelines.options import option_name


class ClipSettings(RelightSettings, DiffusionSettings):
    """RelightSettings, what a diffusion model can be told, and how the result is written."""

    model: str = Field(
        "live",
        description="Relighter: live; diffusion, which sees several frames at once "
        "and takes longer; a path to an .onnx relighter; or, with weights of your own (--weights), relightvid, "
        "ic-light-fc, ic-light-fcon or ic-light-fbc.",
    )

    compare: bool = Field(default=False, description="Write before | after side by side, twice as wide.")
    codec: str = Field(
        default="auto",
        description="Video codec: h264, hevc, vp9, av1, ffv1 (lossless) or prores; auto is h264, in .webm vp9. On an "
        "NVIDIA card also h264-nvenc, hevc-nvenc and av1-nvenc: faster, and larger for the same quality.",
    )
    decoder: Literal["auto", "cpu", "nvdec"] = Field(
        default="auto",
        description="What decodes videos: nvdec is the video unit of an NVIDIA GPU (--gpu); auto takes it where there "
        "is one and --runtime is not one of the CPU's.",
    )
    crf: int | None = Field(
        default=None,
        ge=0,
        description="Constant quality, 0 is best; without it a visually lossless value of the codec is taken.",
    )
    extra: str = Field(
        default="",
        description="Further outputs beside OUT, separated by commas: albedo, normals, matte, light (the live "
        "relighter's estimates).",
    )
    extra_format: Literal["video", "exr"] = Field(
        default="video", description="Form of --extra: videos like OUT, or folders of EXR frames in float."
    )
    force: bool = Field(default=False, description="Replace an output that exists.")


def check_effects(settings: ClipSettings) -> None:
    """Raises SettingsError if an option was given that would do nothing beside the others."""
    if settings.tone > 0 and settings.background in ("keep", "blur"):
        raise SettingsError(
            f"--tone {settings.tone:g} has no effect with --background {settings.background}; drop it, or give "
            "--background env, a colour, a picture or a video."
        )
    fields = {} if is_diffusion(settings.model) else DiffusionSettings.model_fields
    idle = [option_name(name) for name, field in fields.items() if getattr(settings, name) != field.default]
    if idle:
        raise SettingsError(
            f"{', '.join(idle)}: no effect with --model {settings.model}, only with a diffusion model; leave out, or "
            "choose another --model."
        )
