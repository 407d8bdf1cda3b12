"""Video encoders for aiortc: bit rates that suit the picture's size, rare rebuilds, NVENC where there is one.

Why aiortc 1.16 is not used as it is: its H.264 starts at 1 Mbit/s and ends at 3, its VP8 at 0.5 and 1.5, which is too
little from 720p on; and each change of the receiver's estimate by 10 % makes a new encoder, so a key frame and load.
``install`` puts these encoders, and pipelines.webrtc.decoders, in place of aiortc's; this is the only file that changes
anything in aiortc.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

import aiortc.codecs.h264
import aiortc.codecs.vpx
import aiortc.rtcrtpreceiver
import aiortc.rtcrtpsender
import av
from aiortc.codecs import get_encoder as own_encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.video.reformatter import ColorRange, VideoReformatter

from livelight.video_color import matrix_of
from pipelines.webrtc.decoders import live_decoder

log = logging.getLogger(__name__)

BITS_PER_PIXEL = 0.1
"""At 30 pictures a second: 2.8 Mbit/s for 720p, 6.2 for 1080p."""

LEAST, MOST = 600_000, 12_000_000
_RATE = 30
NVENC, X264 = "h264_nvenc", "libx264"


def bitrate_for(width: int, height: int) -> int:
    """Bits a second that a picture of this size should get."""
    return round(min(max(width * height * _RATE * BITS_PER_PIXEL, LEAST), MOST))


class Aim:
    """The bit rate that an encoder works with. It follows the receiver's estimate in steps: each costs a key frame.

    The receiver may ask for a quarter of what suits the size up to one and a half times of it.
    """

    STEP = 0.25
    PAUSE_S = 3.0
    FALL = 0.4
    """A fall by so much is followed at once: the line is full."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._suits = self._now = LEAST
        self._changed_s = 0.0

    @property
    def bitrate(self) -> int:
        """Bits a second, steady between steps."""
        return self._now

    def fit(self, width: int, height: int) -> None:
        """Pictures have this size from now on."""
        if (width, height) != self._size:
            self._size = (width, height)
            self._suits = self._now = bitrate_for(width, height)

    def estimated(self, bitrate: int, now_s: float) -> None:
        """The receiver believes that so much comes through."""
        wanted = min(max(bitrate, self._suits // 4), self._suits * 3 // 2)
        change = wanted / self._now - 1
        if change < -self.FALL or (abs(change) > self.STEP and now_s - self._changed_s > self.PAUSE_S):
            self._now, self._changed_s = wanted, now_s


class _Aimed:
    """What both encoders share: RGB pictures to the YUV that their size implies, and the aim."""

    def _prepare(self) -> None:
        self._aim = Aim()
        self._swscale = VideoReformatter()

    @property
    def target_bitrate(self) -> int:
        return self._aim.bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        self._aim.estimated(bitrate, time.monotonic())

    def _as_yuv(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Untagged limited-range YUV with the matrix that receivers assume for this size; YUV is taken as it comes."""
        self._aim.fit(frame.width, frame.height)
        if frame.format.name == "yuv420p":  # Frame.planes: made so by the GPU
            return frame
        matrix = matrix_of(0, frame.width, frame.height)
        pts, time_base = frame.pts, frame.time_base
        even = (frame.width - frame.width % 2, frame.height - frame.height % 2)
        yuv = self._swscale.reformat(
            frame, *even, format="yuv420p", dst_colorspace=matrix, dst_color_range=ColorRange.MPEG, threads=1
        )
        yuv.pts, yuv.time_base = pts, time_base
        return yuv


class LiveVp8Encoder(_Aimed, Vp8Encoder):
    """aiortc's VP8 under the aim."""

    def __init__(self) -> None:
        super().__init__()
        self._prepare()

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        return super().encode(self._as_yuv(frame), force_keyframe)


class LiveH264Encoder(_Aimed, H264Encoder):
    """H.264 by NVENC or x264, without delay, under the aim. x264 takes over where NVENC fails or has no room for one
    more session (GeForce cards take eight or so)."""

    def __init__(self) -> None:
        super().__init__()
        self._prepare()
        self._name: str | None = None

    def _encode_frame(self, frame: av.VideoFrame, force_keyframe: bool) -> Iterator[bytes]:
        frame = self._as_yuv(frame)
        codec = self.codec
        if codec is None or (codec.width, codec.height, codec.bit_rate) != (
            frame.width,
            frame.height,
            self._aim.bitrate,
        ):
            codec = self.codec = opened_h264(frame.width, frame.height, self._aim.bitrate, self._name)
        frame.pict_type = av.video.frame.PictureType.I if force_keyframe else av.video.frame.PictureType.NONE
        try:
            data = _encoded(codec, frame)
        except (OSError, ValueError, av.FFmpegError) as exc:
            if codec.name != NVENC:
                raise
            log.warning("NVENC does not encode this session (%s); x264 does", exc)
            self._name = X264
            codec = self.codec = opened_h264(frame.width, frame.height, self._aim.bitrate, X264)
            data = _encoded(codec, frame)
        if data:
            yield from self._split_bitstream(data)


def _encoded(codec: av.VideoCodecContext, frame: av.VideoFrame) -> bytes:
    return b"".join(bytes(packet) for packet in codec.encode(frame))


def opened_h264(width: int, height: int, bitrate: int, name: str | None = None) -> av.VideoCodecContext:
    """An H.264 encoder without look-ahead or B-frames. name: h264_nvenc or libx264, else what works here."""
    name = name or h264_name()
    codec = av.CodecContext.create(name, "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.bit_rate = bitrate
    codec.framerate, codec.time_base = Fraction(_RATE), Fraction(1, 90000)
    codec.options = {"maxrate": str(bitrate), "bufsize": str(bitrate // 2), **_OPTIONS[name]}
    codec.profile = "Baseline"
    return codec


_OPTIONS = {
    X264: {"preset": "superfast", "tune": "zerolatency"},
    NVENC: {"preset": "p3", "tune": "ull", "rc": "cbr", "zerolatency": "1", "forced-idr": "1"},
}


@lru_cache(maxsize=1)
def h264_name() -> str:
    """h264_nvenc where the driver has it (data-centre cards of the H200 class do not), else libx264."""
    try:
        opened_h264(256, 256, LEAST, NVENC).open()
    except (OSError, ValueError, av.FFmpegError) as exc:
        log.info("no hardware encoder: %s", exc)
        return X264
    return NVENC


def live_encoder(codec: RTCRtpCodecParameters) -> Any:
    """As aiortc.codecs.get_encoder, with ours for video."""
    kind = codec.mimeType.lower()
    if kind == "video/h264":
        return LiveH264Encoder()
    return LiveVp8Encoder() if kind == "video/vp8" else own_encoder(codec)


def install() -> None:
    """From now on every sender in this process encodes with these, every receiver decodes with ours. Idempotent."""
    aiortc.rtcrtpsender.get_encoder = live_encoder  # type: ignore[attr-defined]
    aiortc.rtcrtpreceiver.get_decoder = live_decoder  # type: ignore[attr-defined]
