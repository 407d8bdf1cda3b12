"""All that ``livelight relight`` can be told, apart from its files."""

from __future__ import annotations

from pydantic import Field

from livelight.config import RelightSettings


class ClipSettings(RelightSettings):
    """RelightSettings and how the result is written."""

    compare: bool = Field(default=False, description="Write before | after side by side, twice as wide.")
    codec: str = Field(
        default="auto",
        description="Video codec: h264, hevc, vp9, av1, ffv1 (lossless) or prores; auto is h264, in .webm vp9.",
    )
    crf: int | None = Field(
        default=None,
        ge=0,
        description="Constant quality, 0 is best; without it a visually lossless value of the codec is taken.",
    )
    force: bool = Field(default=False, description="Replace an output that exists.")
