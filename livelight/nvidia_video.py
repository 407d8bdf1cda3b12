"""NVIDIA's video units through PyAV's FFmpeg: NVDEC decodes, NVENC encodes. Never yet run on a card."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import av
from av.codec.hwaccel import HWAccel


def nvdec(gpu: int = 0) -> HWAccel:
    """For av.open or a codec context: decode on GPU number ``gpu`` what it can, the rest on the CPU.

    Decoded frames come to host memory, where the person segmenter wants them. The context is the card's primary one,
    which the engine uses too. FFmpegError comes from whoever it is given to, without a driver or such a GPU.
    """
    return HWAccel("cuda", device=str(gpu), options={"primary_ctx": "1"})


@cache
def nvdec_fault(gpu: int = 0) -> str:
    """Why NVDEC cannot be used here, in a few words; empty if it can. Asked once a process."""
    try:
        nvdec(gpu).create(av.Codec("h264", "r"))
    except (av.FFmpegError, OSError, ValueError, NotImplementedError) as exc:
        return f"no NVIDIA driver with GPU {gpu} answers ({exc})"
    return ""


@cache
def nvenc_fault(encoder: str) -> str:
    """Why an encoder such as h264_nvenc does not open here; empty if it does. Asked once a process.

    There may be no driver, a card whose NVENC is older than the codec, or one without NVENC (H100, H200).
    """
    try:
        context = av.CodecContext.create(encoder, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width = context.height = 256
        context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 30), Fraction(30)
        context.open()
    except (av.FFmpegError, OSError, ValueError) as exc:
        return f"{encoder} does not open here ({getattr(exc, 'strerror', None) or exc})"
    return ""
