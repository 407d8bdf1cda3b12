"""Decoded video frames to sRGB pixels and back: the only code that knows YUV matrices, ranges and transfer curves.

Inside LiveLight a picture is uint8 RGB, full range, and is read as sRGB. SDR video (Rec.601, 709, 2020 transfer curves)
is shown by every player with the display's own curve, so its code values are taken as sRGB without a change of curve.
HDR video (PQ, HLG) is brought down to SDR: 203 cd/m2 (PQ) or 75 % signal (HLG), the reference white of BT.2408, becomes
white and what is brighter clips.
"""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from numpy.typing import NDArray

from livelight.frame import luma_weights

RGB8 = NDArray[np.uint8]

_HDR = {int(ColorTrc.SMPTE2084): "HDR (PQ)", int(ColorTrc.ARIB_STD_B67): "HDR (HLG)"}
_WIDE = {int(ColorPrimaries.BT2020), int(ColorPrimaries.SMPTE431), int(ColorPrimaries.SMPTE432)}
_REC709 = luma_weights(1920, 1080)
_MATRIX_OF_TAG = {  # AVColorSpace (ITU-T H.273 MatrixCoefficients) -> swscale's name
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}


def matrix_of(tag: int, width: int, height: int) -> Colorspace:
    """The YUV matrix of a tag; an untagged picture is Rec.709 from 1280 columns or 577 lines on, else Rec.601."""
    if tag in _MATRIX_OF_TAG:
        return _MATRIX_OF_TAG[tag]
    return Colorspace.ITU709 if luma_weights(width, height) == _REC709 else Colorspace.ITU601


def hdr_name(frame: av.VideoFrame) -> str | None:
    """``HDR (PQ)`` or ``HDR (HLG)`` for frames with such a transfer curve, else None."""
    return _HDR.get(frame.color_trc)


class SrgbReader:
    """Converts decoded frames of one stream; keeps swscale's tables between frames. One thread."""

    def __init__(self) -> None:
        self._swscale = VideoReformatter()

    def read(self, frame: av.VideoFrame, size: tuple[int, int] | None = None) -> RGB8:
        """uint8 (h, w, 3) RGB sRGB full range from any pixel format; alpha is dropped.

        ``size`` (w, h) scales a frame whose stream changed its size; None keeps the frame's own.
        """
        width, height = size or (frame.width, frame.height)
        trc: ColorTrc | None = None
        primaries: ColorPrimaries | None = None
        if hdr_name(frame):
            trc, primaries = ColorTrc.IEC61966_2_1, ColorPrimaries.BT709
        elif frame.color_primaries in _WIDE:
            # The same curve on both sides: only the primaries change.
            frame.color_trc, trc, primaries = ColorTrc.BT709, ColorTrc.BT709, ColorPrimaries.BT709
        rgb = self._swscale.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=matrix_of(frame.colorspace, frame.width, frame.height),
            src_color_range=_range_of(frame),
            dst_color_range=ColorRange.JPEG,
            dst_color_trc=trc,
            dst_color_primaries=primaries,
            threads=1,
        )
        return np.ascontiguousarray(rgb.to_ndarray(), dtype=np.uint8)


def _range_of(frame: av.VideoFrame) -> ColorRange:
    if frame.color_range in (ColorRange.MPEG, ColorRange.JPEG):
        return ColorRange(frame.color_range)
    full = frame.format.is_rgb or frame.format.name.startswith(("yuvj", "gray", "pal"))
    return ColorRange.JPEG if full else ColorRange.MPEG


class Rec709Writer:
    """Makes frames for an encoder: Rec.709 matrix, limited range; RGB formats stay full range. One thread."""

    def __init__(self, pix_fmt: str) -> None:
        self._swscale = VideoReformatter()
        self._pix_fmt = pix_fmt
        self._rgb = av.VideoFormat(pix_fmt).is_rgb

    def write(
        self, image: RGB8, pts: int, time_base: Fraction, planes: NDArray[np.uint8] | None = None
    ) -> av.VideoFrame:
        """A frame in this writer's pixel format from uint8 (h, w, 3) sRGB; the pixels are copied.

        planes: the same as Frame.planes has it, taken in place of a conversion where they are of this format.
        """
        height, width = image.shape[:2]
        if planes is not None and self._pix_fmt == "yuv420p" and luma_weights(width, height) == _REC709:
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
        else:
            frame = self._converted(image)
        frame.color_primaries, frame.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        frame.pts, frame.time_base = pts, time_base
        return frame

    def _converted(self, image: RGB8) -> av.VideoFrame:
        return self._swscale.reformat(
            av.VideoFrame.from_ndarray(image, format="rgb24"),
            format=self._pix_fmt,
            dst_colorspace=None if self._rgb else Colorspace.ITU709,
            dst_color_range=ColorRange.JPEG if self._rgb else ColorRange.MPEG,
            threads=1,
        )

    def tag(self, context: VideoCodecContext) -> None:
        """Write matrix, primaries, curve and range into an encoder's header."""
        context.colorspace = 0 if self._rgb else 1
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.color_range = ColorRange.JPEG if self._rgb else ColorRange.MPEG
