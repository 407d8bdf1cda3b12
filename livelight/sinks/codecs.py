"""Which video codecs and containers LiveLight writes, under the names people use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import av

from livelight.errors import SettingsError
from livelight.nvidia_video import nvenc_fault

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""File extension -> FFmpeg muxer."""


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder and how we drive it.

    crf: default constant quality, lower is better; None for codecs without one.
    max_crf: the largest value the encoder takes.
    min_side, multiple: smallest side in pixels, and what sides must be a multiple of; smaller pictures are padded.
    quality: what the encoder calls its constant quality.
    """

    encoder: str
    pix_fmt: str
    crf: int | None
    max_crf: int = 63
    min_side: int = 1
    multiple: int = 1
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    quality: str = "crf"


_NVENC = {"preset": "p5", "tune": "hq", "rc": "vbr", "b": "0"}

CODECS = {
    "h264": Codec("libx264", "yuv420p", 18, 51, 2, 2, {"preset": "veryfast"}),
    "hevc": Codec("libx265", "yuv420p", 20, 51, 16, 2, {"preset": "fast", "x265-params": "log-level=error"}),
    "vp9": Codec("libvpx-vp9", "yuv420p", 24, options={"deadline": "good", "cpu-used": "5", "row-mt": "1"}),
    "av1": Codec("libsvtav1", "yuv420p", 28, 63, 16, options={"preset": "9"}),
    "h264-nvenc": Codec("h264_nvenc", "yuv420p", 19, 51, 160, 2, _NVENC, "cq"),
    "hevc-nvenc": Codec("hevc_nvenc", "yuv420p", 21, 51, 160, 2, _NVENC, "cq"),
    "av1-nvenc": Codec("av1_nvenc", "yuv420p", 26, 63, 192, 2, _NVENC, "cq"),
    "ffv1": Codec("ffv1", "bgr0", None, options={"level": "3", "slicecrc": "1"}),
    "prores": Codec("prores_ks", "yuv422p10le", None, multiple=2, options={"profile": "hq", "vendor": "apl0"}),
}
"""ffv1 is lossless RGB: frames come back bit for bit. Those on NVENC take GeForce RTX (av1: of 2022 and later)."""

_ALIASES = {"avc": "h264", "x264": "h264", "h265": "hevc", "x265": "hevc"}


def container_of(path: Path) -> str:
    """FFmpeg's muxer for the extension of ``path``; raises SettingsError for one that we do not write."""
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(CONTAINERS)
        raise SettingsError(f"Cannot write video as {path.suffix or path.name!r}; use one of {known}.") from None


def codec_for(name: str, path: Path) -> Codec:
    """The codec that a user's ``name`` means for this file; ``auto`` is h264, in .webm vp9.

    Raises SettingsError for an unknown name or one that the container of ``path`` cannot hold.
    """
    container = container_of(path)
    name = name.lower()
    if name == "auto":
        name = "vp9" if container == "webm" else "h264"
    codec = CODECS.get(_ALIASES.get(name, name))
    if codec is None:
        raise SettingsError(f"Unknown codec {name!r}; use one of auto, {', '.join(CODECS)}.")
    if not _holds(container, codec):
        fitting = [ext for ext, muxer in CONTAINERS.items() if _holds(muxer, codec)]
        plain = {other: codec for other, codec in CODECS.items() if not other.endswith("-nvenc")}
        other = [other_name for other_name, other_codec in plain.items() if _holds(container, other_codec)]
        raise SettingsError(
            f"A {path.suffix} file cannot hold {name}; name the output {' or '.join(fitting)}, "
            f"or choose --codec {' or '.join(other)}."
        )
    if fault := nvenc_fault(codec.encoder) if codec.encoder.endswith("_nvenc") else "":
        raise SettingsError(f"{fault}: no NVIDIA card with such an encoder; choose --codec {name.split('-')[0]}.")
    return codec


def _holds(container: str, codec: Codec) -> bool:
    with av.open(BytesIO(), "w", format=container) as probe:
        return codec.encoder in probe.supported_codecs


def quality_options(codec: Codec, crf: int | None) -> dict[str, str]:
    """Encoder options for ``crf`` (None = the codec's default); raises SettingsError where it makes no sense."""
    options = dict(codec.options)
    if codec.crf is None:
        if crf is not None:
            raise SettingsError(f"--crf has no meaning for {codec.encoder}; leave it out.")
        return options
    value = codec.crf if crf is None else crf
    if not 0 <= value <= codec.max_crf:
        raise SettingsError(f"--crf must be 0 (best) to {codec.max_crf} for {codec.encoder}, got {value}.")
    return options | {codec.quality: str(value)}
