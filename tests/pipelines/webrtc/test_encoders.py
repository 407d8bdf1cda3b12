"""Bit rates suit the size, follow the receiver in steps; pictures keep their colours through both codecs."""

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest

from livelight.sources.synthetic import SyntheticSource
from livelight.video_color import SrgbReader
from pipelines.webrtc import encoders
from pipelines.webrtc.encoders import Aim, LiveH264Encoder, LiveVp8Encoder, bitrate_for, h264_name, opened_h264
from pipelines.webrtc.outlet import Outlet, Relit
from pipelines.webrtc.tracks import RelitTrack


def frames(width, height, count):
    source = SyntheticSource(width, height)
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(source.image(index), format="rgb24")
        frame.pts, frame.time_base = index * 3000, Fraction(1, 90000)
        yield source.image(index), frame


def test_bitrates_suit_the_size():
    assert 2e6 < bitrate_for(1280, 720) < 4e6
    assert 5e6 < bitrate_for(1920, 1080) < 8e6
    assert bitrate_for(64, 64) < bitrate_for(1280, 720)


def test_aim_follows_in_steps():
    aim = Aim()
    aim.fit(1280, 720)
    suits = aim.bitrate
    aim.estimated(round(suits * 1.1), 100.0)
    assert aim.bitrate == suits
    aim.estimated(round(suits * 1.4), 100.0)
    assert aim.bitrate == round(suits * 1.4)
    aim.estimated(suits, 101.0)
    assert aim.bitrate == round(suits * 1.4)
    aim.estimated(10, 101.0)
    assert aim.bitrate == suits // 4
    aim.estimated(10**9, 110.0)
    assert aim.bitrate == suits * 3 // 2


@pytest.mark.parametrize("size", [(1280, 720), (320, 240)])
@pytest.mark.parametrize(("encoder", "decoder"), [(LiveH264Encoder, "h264"), (LiveVp8Encoder, "vp8")])
def test_pictures_survive(encoder, decoder, size):
    encoder, reader = encoder(), SrgbReader()
    context = av.CodecContext.create(decoder, "r")
    seen = None
    for image, frame in frames(*size, 5):
        payloads, timestamp = encoder.encode(frame)
        data = joined(payloads, decoder)
        assert abs(timestamp - frame.pts) <= 1  # aiortc converts in floating point
        for decoded in context.decode(av.Packet(data)):
            seen = (image, reader.read(decoded))
    image, decoded = seen
    assert np.abs(image.astype(int) - decoded).mean() < 6


def test_planes_go_to_the_encoder_as_they_are():
    """What a GPU has made I420 is not converted again; the aim follows its size all the same."""
    image = SyntheticSource(64, 48).image(0)
    planes = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p").to_ndarray()

    async def taken():
        outlet = Outlet()
        outlet.offer(Relit(np.zeros_like(image), 7, Fraction(1, 90000), 0.0, planes))
        return await RelitTrack(outlet).recv()

    frame = asyncio.run(taken())
    assert (frame.format.name, frame.width, frame.height, frame.pts) == ("yuv420p", 64, 48, 7)
    encoder = LiveVp8Encoder()
    assert encoder._as_yuv(frame) is frame
    assert np.array_equal(frame.to_ndarray(), planes)
    assert encoder.target_bitrate == bitrate_for(64, 48)


def joined(payloads, codec):
    """What a receiver makes of the RTP payloads."""
    from aiortc.codecs.h264 import h264_depayload
    from aiortc.codecs.vpx import vp8_depayload

    return b"".join((h264_depayload if codec == "h264" else vp8_depayload)(payload) for payload in payloads)


def test_some_h264_encoder_works():
    assert h264_name() in ("libx264", "h264_nvenc")


class FullUnit:
    """NVENC with no room for one more session: it tells at the first picture."""

    name = encoders.NVENC

    def __init__(self, width, height, bit_rate):
        self.width, self.height, self.bit_rate = width, height, bit_rate

    def encode(self, frame):
        raise av.error.ExternalError(542398533, "OpenEncodeSessionEx failed: out of memory (10)")


def test_one_session_too_many_for_nvenc_goes_by_x264(monkeypatch):
    asked = []

    def opened(width, height, bitrate, name=None):
        asked.append(name)
        return opened_h264(width, height, bitrate, name) if name else FullUnit(width, height, bitrate)

    monkeypatch.setattr(encoders, "opened_h264", opened)
    encoder, came = LiveH264Encoder(), 0
    context = av.CodecContext.create("h264", "r")
    for _, frame in frames(320, 240, 3):
        came += len(context.decode(av.Packet(joined(encoder.encode(frame)[0], "h264"))))
    assert came > 0
    assert asked == [None, encoders.X264]
