"""Video decoders for aiortc: H.264 on NVDEC where there is one; VP8 stays libvpx's. Never yet run on a card."""

from __future__ import annotations

import logging
from typing import Any

import av
from aiortc.codecs import get_decoder as own_decoder
from aiortc.codecs.h264 import H264Decoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from livelight.nvidia_video import nvdec, nvdec_fault

log = logging.getLogger(__name__)

PATIENCE = 10
"""Pictures in a row that NVDEC may fail on: a lost packet costs a few, until the sender's next key frame."""


class LiveH264Decoder(H264Decoder):
    """H.264 by NVDEC; by the CPU where there is none, or once it has failed on PATIENCE pictures in a row."""

    def __init__(self) -> None:
        super().__init__()
        self._failed = 0
        if not nvdec_fault():
            self.codec = on_nvdec()

    def decode(self, encoded_frame: Any) -> list[Any]:
        """Raises FFmpegError, upon which aiortc asks for a key frame."""
        try:
            frames = super().decode(encoded_frame)
        except av.FFmpegError:
            self._failed += 1
            if self._failed == PATIENCE and self.codec.is_hwaccel:
                log.warning("NVDEC failed on %d pictures of a camera in a row; the CPU decodes on", PATIENCE)
                self.codec = av.CodecContext.create("h264", "r")
            raise
        self._failed = 0
        return frames


def on_nvdec() -> Any:
    """An H.264 decoder on the first GPU, or on the CPU where that cannot be opened any more."""
    try:
        return av.CodecContext.create("h264", "r", hwaccel=nvdec())
    except (av.FFmpegError, OSError) as exc:
        log.warning("NVDEC does not open (%s); the CPU decodes", exc)
        return av.CodecContext.create("h264", "r")


def live_decoder(codec: RTCRtpCodecParameters) -> Any:
    """As aiortc.codecs.get_decoder, with ours for H.264."""
    return LiveH264Decoder() if codec.mimeType.lower() == "video/h264" else own_decoder(codec)
