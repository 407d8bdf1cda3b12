"""H.264 of a browser is decoded where a unit for it works, and by the CPU where it does not."""

from types import SimpleNamespace

import av
import pytest
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from livelight.sources.synthetic import SyntheticSource
from pipelines.webrtc import decoders
from pipelines.webrtc.encoders import opened_h264

COUNT = 14


@pytest.fixture(scope="module")
def sent():
    """Pictures as a sender gives them, each a key frame."""
    source, encoder = SyntheticSource(64, 48), opened_h264(64, 48, 300_000, "libx264")
    pictures = []
    for index in range(COUNT):
        frame = av.VideoFrame.from_ndarray(source.image(index), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.pict_type = index * 3000, av.video.frame.PictureType.I
        pictures.append(JitterFrame(b"".join(bytes(packet) for packet in encoder.encode(frame)), index * 3000))
    return pictures


class FailingUnit:
    """A codec context on hardware that fails ``times`` times, then decodes."""

    is_hwaccel = True

    def __init__(self, times):
        self._left, self._codec = times, av.CodecContext.create("h264", "r")

    def decode(self, packet):
        if self._left:
            self._left -= 1
            raise av.error.ExternalError(542398533, "Generic error in an external library")
        return self._codec.decode(packet)


def decoded(decoder, pictures):
    """How many pictures came out, and how many errors."""
    came = failed = 0
    for picture in pictures:
        try:
            came += len(decoder.decode(picture))
        except av.FFmpegError:
            failed += 1
    return came, failed


def test_without_a_unit_the_cpu_decodes(sent, monkeypatch):
    monkeypatch.setattr(decoders, "nvdec_fault", lambda: "no driver")
    decoder = decoders.live_decoder(RTCRtpCodecParameters("video/H264", 90000, payloadType=96))
    assert isinstance(decoder, decoders.LiveH264Decoder)
    assert decoded(decoder, sent) == (COUNT, 0)


@pytest.mark.parametrize(("times", "stays"), [(3, True), (1000, False)])
def test_a_unit_that_fails_for_good_is_left(sent, monkeypatch, times, stays):
    """A few lost pictures are the line's fault; PATIENCE of them in a row are the unit's."""
    monkeypatch.setattr(decoders, "nvdec_fault", lambda: "")
    monkeypatch.setattr(decoders, "on_nvdec", lambda: FailingUnit(times))
    decoder = decoders.LiveH264Decoder()
    failed = min(times, decoders.PATIENCE)
    assert decoded(decoder, sent) == (COUNT - failed, failed)
    assert decoder.codec.is_hwaccel is stays


def test_a_unit_that_does_not_open_is_no_error(sent, monkeypatch):
    def refused(*args, **kwargs):
        if "hwaccel" in kwargs:
            raise av.error.PermissionError(1, "Operation not permitted")
        return plain(*args)

    plain = av.CodecContext.create
    monkeypatch.setattr(decoders, "nvdec_fault", lambda: "")
    monkeypatch.setattr(decoders.av, "CodecContext", SimpleNamespace(create=refused))
    assert decoded(decoders.LiveH264Decoder(), sent) == (COUNT, 0)


def test_other_codecs_stay_aiortcs():
    other = decoders.live_decoder(RTCRtpCodecParameters("video/VP8", 90000, payloadType=97))
    assert type(other).__module__.startswith("aiortc.")
