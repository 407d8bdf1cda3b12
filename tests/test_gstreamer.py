"""GStreamer pipelines as source and as sink."""

from __future__ import annotations

import threading
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from livelight.errors import DeviceError, InputError, MissingSystemPackage, OutputError
from livelight.fakes import IdentityRelighter, WhiteRoom
from livelight.frame import Frame
from livelight.gstreamer_library import load_gst
from livelight.session import run_session
from livelight.sinks.gstreamer import GStreamerSink
from livelight.sources.gstreamer import GStreamerSource
from livelight.sources.synthetic import SyntheticSource
from tests.clips import corners, flat, pictures_of, write_clip


@pytest.fixture(scope="module", autouse=True)
def gst():
    try:
        return load_gst()
    except MissingSystemPackage as exc:
        pytest.skip(str(exc))


def read(source, count=None):
    try:
        return list(islice(source, count))
    finally:
        source.close()


def test_a_clip_comes_out_whole_with_its_times(tmp_path):
    pts = [0, 20, 50, 60, 90, 100]
    pictures = [corners(66, 50)] * len(pts)
    path = write_clip(tmp_path / "clip.mp4", pictures, time_base=Fraction(1, 600), pts=pts)
    source = GStreamerSource(f"filesrc location={path} ! decodebin")
    assert (source.width, source.height, source.live) == (66, 50, False)
    frames = read(source)
    assert [round(frame.time_s * 600) for frame in frames] == pts
    for frame in frames:
        assert np.abs(frame.image.astype(int) - corners(66, 50))[[5, 5, 45, 45], [5, 60, 5, 60]].max() < 12


def test_a_live_pipeline_keeps_the_newest_picture():
    source = GStreamerSource("videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=100/1")
    assert source.live
    assert source.rate == 100
    frames = iter(source)
    first = next(frames)
    threading.Event().wait(0.5)
    times = [first.pts, *(frame.pts for frame in islice(frames, 4))]
    source.end()
    assert list(frames) == []
    source.close()
    source.close()
    assert times == sorted(set(times))
    assert times[-1] - times[0] > 0.3e9  # what nobody took in that time is gone


def test_what_is_no_pipeline_is_said(tmp_path):
    for description in ("nosuchelement", f"filesrc location={tmp_path / 'none.mp4'} ! decodebin", "videotestsrc !"):
        with pytest.raises(InputError, match="GStreamer pipeline"):
            GStreamerSource(description)
    with pytest.raises(InputError, match="shows no picture"):
        GStreamerSource("videotestsrc num-buffers=0")


def test_a_picture_that_changes_its_size_is_an_error(tmp_path):
    for name, size in (("0", (64, 48)), ("1", (32, 32))):
        write_clip(tmp_path / f"{name}.mkv", [flat((9, 9, 9), *size)] * 3)
    concat = " ".join(f"filesrc location={tmp_path / n}.mkv ! decodebin ! videoconvert ! c." for n in ("0", "1"))
    source = GStreamerSource(f"{concat} concat name=c")
    with pytest.raises(InputError, match="from 64x48 to 32x32"):
        read(source)


@pytest.mark.parametrize("width", [64, 66])
def test_the_session_writes_a_file_with_every_time(tmp_path, width):
    source = SyntheticSource(width, 48, rate=Fraction(25), frame_count=6, start_pts=3)
    path = tmp_path / "out.mkv"
    sink = GStreamerSink(f"jpegenc quality=100 ! matroskamux ! filesink location={path}", width, 48, 25)
    run_session(source, sink, IdentityRelighter(), WhiteRoom())
    sink.close()
    sink.close()
    written = pictures_of(path)
    assert [pts for pts, _ in written] == [Fraction(n, 25) for n in range(3, 9)]
    for index, (_, picture) in enumerate(written):
        assert np.abs(picture.astype(int) - source.image(index)).mean() < 3


def test_a_pipeline_that_cannot_write_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="filesink"):
        GStreamerSink(f"filesink location={tmp_path}/none/x.raw", 64, 48)
    with pytest.raises(OutputError, match="cannot be built"):
        GStreamerSink("nosuchsink", 64, 48)
    sink = GStreamerSink("fakesink", 64, 48)
    with pytest.raises(OutputError, match="64x48, got a frame of 32x32"):
        sink.write(Frame(flat((1, 2, 3), 32, 32), 0, Fraction(1, 30), 0.0))
    sink.abort()
    sink.abort()


def test_a_pipeline_that_breaks_in_mid_stream_is_an_error(tmp_path):
    sink = GStreamerSink("identity error-after=2 ! fakesink", 64, 48)

    def write():
        for index in range(50):
            sink.write(Frame(flat((1, 2, 3)), index, Fraction(1, 30), 0.0))

    with pytest.raises(OutputError, match="broke"):
        write()
    sink.abort()


def test_a_live_sink_never_holds_the_writer(gst):
    sink = GStreamerSink("identity sleep-time=200000 ! fakesink sync=false", 64, 48, live=True)
    for index in range(30):
        sink.write(Frame(flat((1, 2, 3)), index, Fraction(1, 30), 0.0))
    assert sink.dropped > 10
    sink.close()


def test_a_live_sink_that_is_gone_is_a_device_error():
    with pytest.raises(DeviceError):
        GStreamerSink("v4l2sink device=/dev/video-none", 64, 48, live=True)
