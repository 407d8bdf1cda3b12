"""The one schema of settings. Field descriptions are the CLI help and the labels of the control page."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Field


class LightSettings(BaseModel):
    """What light, from where, how strong, and what stands behind the person. Inert: nothing is opened here."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    env: str = Field(
        "softbox-left",
        description="Environment: a preset name (see: livelight envs), or a file: .hdr/.exr panorama, 2:1 picture, "
        "rig .toml, or an ordinary background picture or video whose light is estimated.",
    )
    rotate: str = Field(
        "0",
        description="Turn the environment, degrees; positive moves it to the right. "
        "A..B moves with time over the clip.",
    )
    rotate_period_s: float = Field(
        10.0,
        ge=0.1,
        le=1e6,
        description="Seconds that a moving rotation A..B takes when the length of the clip is unknown.",
    )
    pitch: float = Field(0.0, ge=-90, le=90, description="Tilt the environment, degrees; positive raises its content.")
    exposure: Annotated[float, Ge(-20), Le(20)] | Literal["keep"] = Field(
        0.0,
        description="Stops above or below the standard exposure (a grey card facing the camera comes out grey), or "
        "'keep' for the file's own scale.",
    )
    intensity: float = Field(
        1.0, ge=0, le=1.5, description="0 leaves the person untouched, 1 relights fully; up to 1.5 overdoes it."
    )
    background: str = Field(
        "keep",
        description="What stands behind the person: keep, blur, env (the environment itself), a colour (#rrggbb or a "
        "name), or a picture or video file.",
    )
    blur: float = Field(
        12.0, gt=0, le=100, description="Blur radius of --background blur, pixels of a 720-line picture."
    )
    tone: float = Field(
        0.0, ge=0, le=1, description="Match the person's exposure and tint to the background: 0 not at all, 1 fully."
    )
    brighten: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Brighten a person whom the light leaves darker than they were: 0 not at all, 1 fully, by a stop "
        "at most. Before another background not with a tone, nor with the exposure that a file has.",
    )
    fov_deg: float = Field(60.0, gt=5, lt=150, description="Horizontal field of view of the camera, degrees.")


class RelightSettings(LightSettings):
    """LightSettings and how the picture is computed."""

    runtime: Literal["auto", "openvino", "onnxruntime", "torch", "tensorrt", "tensorrt-rtx"] = Field(
        "auto", description="Inference engine; auto takes the fastest that works and says which it rejected and why."
    )
    segmenter: Literal["auto", "onnx", "mediapipe", "own"] = Field(
        "auto",
        description="What finds the person: onnx, a network run by the same engine; mediapipe, the same network run by "
        "the package mediapipe; auto takes the first of them that works; own, the relighter itself, on "
        "CPUs: no second network, but less sure of furniture.",
    )
    gpu: int = Field(0, ge=0, description="Number of the GPU for TensorRT, in the driver's order.")
    gpu_precision: Literal["fp32", "fp16", "bf16", "int8", "fp8"] = Field(
        "fp16",
        description="Arithmetic of the TensorRT engine's convolutions: bf16 from RTX 30 on, fp8 from RTX 40 on; int8 "
        "and fp8 cost a little quality (docs/tensorrt.md).",
    )
    model: str = Field("live", description="Relighter: live, or a path to an .onnx relighter.")
    threads: int = Field(0, ge=0, description="CPU threads of the inference engine; 0 takes all cores, but one of two.")
