"""All that ``livelight run`` can be told."""

from __future__ import annotations

from pydantic import Field

from livelight.config import RelightSettings


class RunSettings(RelightSettings):
    """RelightSettings, where frames come from and where they go."""

    camera: str | None = Field(
        default=None,
        description="Camera: its number or a part of its name (see: livelight cameras), a video or picture file that "
        "plays in its place, again and again until you stop (livelight relight goes through a file once), "
        "'gst:PIPELINE' for a GStreamer pipeline, or 'pattern'. Without it the first one.",
    )
    sink: str | None = Field(
        default=None,
        description="Where the picture goes: a virtual camera by device, number or name, a video file, 'obs' for the "
        "camera of OBS, 'pipewire' or 'pipewire:NAME' for a camera in PipeWire, 'gst:PIPELINE' for a GStreamer "
        "pipeline, or 'none'. Without it the virtual camera called LiveLight, else the first one.",
    )
    size: str = Field(default="1280x720", description="Size of the picture, WIDTHxHEIGHT.")
    fps: int = Field(default=30, ge=1, le=240, description="Frames per second asked of the camera.")
    force: bool = Field(default=False, description="Replace the --sink file if it is there already.")
    preview: bool = Field(default=False, description="Show the picture in a window too.")
    always: bool = Field(default=False, description="Keep the camera on even while nobody watches.")
    wait: bool = Field(default=False, description="Wait for a camera that is not there yet, instead of giving up.")
    fixed_quality: bool = Field(default=False, description="Never give up quality for speed; drop frames instead.")
    every_frame: bool = Field(default=False, description="Compute frames in which nothing has moved, too.")
    log: str | None = Field(
        default=None, description="Write a structured log here, JSON lines ('-': stderr); it is kept below 40 MB."
    )
    metrics: str | None = Field(
        default=None, description="Tell Prometheus the figures on this PORT, or HOST:PORT, under /metrics."
    )
