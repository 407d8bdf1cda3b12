import itertools
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from livelight.errors import InputError
from livelight.nvidia_video import nvdec_fault
from livelight.sources import file
from livelight.sources.file import VideoFileSource
from tests.clips import corners, flat, moving, raw_clip, write_clip


def frames_of(path):
    source = VideoFileSource(path)
    try:
        return list(source)
    finally:
        source.close()


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("libx264", "a.mp4"),
        ("libx265", "a.mp4"),
        ("libvpx-vp9", "a.webm"),
        ("libsvtav1", "a.mkv"),
        ("mpeg4", "a.avi"),
        ("libx264", "a.ts"),
    ],
)
def test_reads_every_frame_of_every_codec(tmp_path, codec, name):
    pictures = moving(12, 64, 64)
    path = write_clip(tmp_path / name, pictures, codec=codec)
    frames = frames_of(path)
    assert len(frames) == 12
    for frame, picture in zip(frames, pictures, strict=True):
        assert frame.image.shape == (64, 64, 3)
        assert frame.image.flags.c_contiguous
        assert np.abs(frame.image.astype(int) - picture).mean() < 12
    steps = {b.time_s - a.time_s for a, b in pairwise(frames)}
    assert max(steps) == pytest.approx(1 / 30, abs=2e-3)


def test_variable_frame_rate_keeps_its_times(tmp_path):
    pts = [0, 3000, 4500, 30000, 30001, 90000]
    path = write_clip(tmp_path / "vfr.mp4", moving(6), time_base=Fraction(1, 90000), pts=pts)
    assert [frame.pts * frame.time_base for frame in frames_of(path)] == [Fraction(p, 90000) for p in pts]


def test_raw_streams_get_times(tmp_path):
    frames = frames_of(write_clip(tmp_path / "a.h264", moving(10), options={"preset": "ultrafast", "bf": "2"}))
    assert len(frames) == 10
    assert all(b.pts > a.pts for a, b in pairwise(frames))
    assert frames[9].time_s - frames[0].time_s == pytest.approx(9 / 30, abs=0.1)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_file_is_read_again_without_opening_it(tmp_path, name):
    source = VideoFileSource(write_clip(tmp_path / name, moving(12)))
    first = list(source)
    for count in (12, 5, 12):  # at the end, and in mid-stream
        assert source.rewind()
        again = list(itertools.islice(source, count))
        assert [f.pts for f in again] == [f.pts for f in first[:count]]
        assert all(np.array_equal(f.image, g.image) for f, g in zip(again, first, strict=False))
    source.close()
    raw = VideoFileSource(write_clip(tmp_path / "a.h264", moving(3)))
    assert not raw.rewind()
    raw.close()


def test_names_that_look_like_protocols_or_patterns(tmp_path):
    path = write_clip(tmp_path / "plain.mp4", moving(2)).rename(tmp_path / "10:30 %d ünï.mp4")
    assert len(frames_of(path)) == 2


def test_frame_count_rate_and_length(tmp_path):
    source = VideoFileSource(write_clip(tmp_path / "a.mp4", moving(15), rate=25))
    assert (source.width, source.height, source.rate, source.frame_count) == (64, 48, 25, 15)
    assert source.duration_s == pytest.approx(0.6)
    source.close()
    source.close()


CLOCKWISE = {0: "RGBW", 90: "BRWG", 180: "WBGR", 270: "GWRB"}
"""Corner colours (top left, top right, bottom left, bottom right) after a clockwise turn."""


def corner_names(image):
    height, width = image.shape[:2]
    names = {(1, 0, 0): "R", (0, 1, 0): "G", (0, 0, 1): "B", (1, 1, 1): "W"}
    quarter = [(height // 4, width // 4), (height // 4, -width // 4), (-height // 4, width // 4)]
    return "".join(names[tuple(int(v) for v in image[y, x] > 128)] for y, x in [*quarter, (-height // 4, -width // 4)])


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_rotation_and_mirroring_are_baked_in(tmp_path, turn, mirrored):
    # FFmpeg's angle is counter-clockwise; the mirror comes after the turn.
    path = write_clip(tmp_path / "a.mp4", [corners()] * 2, rotation=(-turn, mirrored, False))
    source = VideoFileSource(path)
    image = next(iter(source)).image
    expected = CLOCKWISE[turn]
    if mirrored:
        expected = expected[1] + expected[0] + expected[3] + expected[2]
    assert corner_names(image) == expected
    assert image.shape == ((64, 48, 3) if turn % 180 else (48, 64, 3))
    assert (source.height, source.width) == image.shape[:2]
    source.close()


def test_anamorphic_pixels_turn_with_the_picture(tmp_path):
    upright = VideoFileSource(write_clip(tmp_path / "a.mp4", [corners()], pixel_aspect=Fraction(4, 3)))
    turned = VideoFileSource(
        write_clip(tmp_path / "b.mp4", [corners()], pixel_aspect=Fraction(4, 3), rotation=(90, False, False))
    )
    assert (upright.pixel_aspect, turned.pixel_aspect) == (Fraction(4, 3), Fraction(3, 4))


MATRICES = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
COLOURS = [(200, 60, 30), (20, 230, 60), (40, 50, 220), (255, 255, 255), (0, 0, 0), (128, 128, 128)]


def yuv(colour, matrix, full, bits=8):
    """Code values by the defining equations of ITU-R BT.601 / 709 / 2020."""
    red, green, blue = (value / 255 for value in colour)
    kr, kb = MATRICES[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    scale, top = 2 ** (bits - 8), 2**bits - 1
    if full:
        return [round(top * luma), *(min(round(top * c + 128 * scale), top) for c in (cb, cr))]
    return [round((16 + 219 * luma) * scale), *(round((128 + 224 * c) * scale) for c in (cb, cr))]


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
def test_tagged_matrix_and_range_are_honoured(tmp_path, matrix, full):
    for colour in COLOURS:
        path = raw_clip(
            tmp_path / "c.mkv",
            yuv(colour, matrix, full),
            "yuv420p",
            colorspace=matrix,
            color_range=2 if full else 1,
        )
        image = frames_of(path)[0].image
        assert np.abs(image.astype(int) - colour).max() <= 3, (colour, image[0, 0])


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), 6), ((1280, 720), 1), ((720, 576), 6), ((576, 720), 1)])
def test_untagged_matrix_is_guessed_by_size(tmp_path, size, matrix):
    path = raw_clip(tmp_path / "c.mkv", yuv((200, 60, 30), matrix, False), "yuv420p", size)
    assert np.abs(frames_of(path)[0].image.astype(int) - (200, 60, 30)).max() <= 3


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv422p10le", "yuv444p12le"])
def test_deep_colour(tmp_path, pix_fmt):
    bits = 12 if "12" in pix_fmt else 10
    planes = yuv((200, 60, 30), 1, False, bits)
    path = raw_clip(tmp_path / "c.mkv", planes, pix_fmt, colorspace=1, color_range=1)
    assert np.abs(frames_of(path)[0].image.astype(int) - (200, 60, 30)).max() <= 3


def test_alpha_is_dropped(tmp_path):
    planes = [*yuv((200, 60, 30), 1, False), 10]
    path = raw_clip(tmp_path / "c.mkv", planes, "yuva420p", colorspace=1, color_range=1)
    assert np.abs(frames_of(path)[0].image.astype(int) - (200, 60, 30)).max() <= 3


def test_wide_gamut_is_brought_to_rec709(tmp_path):
    # The same colour needs stronger code values in the smaller gamut.
    planes = yuv((160, 120, 80), 9, False, 10)
    path = raw_clip(
        tmp_path / "c.mkv", planes, "yuv420p10le", colorspace=9, color_range=1, color_primaries=9, color_trc=1
    )
    red, green, blue = frames_of(path)[0].image[8, 8].astype(int)
    assert red > 170
    assert abs(green - 116) < 6
    assert blue < 78


def pq(nits):
    """SMPTE ST 2084: signal in [0, 1] of an absolute luminance."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (nits / 10000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


@pytest.mark.parametrize(("nits", "expected"), [(101.5, 188), (1000, 255)])
def test_hdr_comes_down_to_sdr_and_says_so(tmp_path, nits, expected):
    luma = round(64 + 876 * pq(nits))
    path = raw_clip(
        tmp_path / "c.mkv",
        [luma, 512, 512],
        "yuv420p10le",
        colorspace=9,
        color_range=1,
        color_primaries=9,
        color_trc=16,
    )
    source = VideoFileSource(path)
    assert np.abs(next(iter(source)).image.astype(int) - expected).max() <= 4
    assert "HDR (PQ)" in source.notes[0]


def test_odd_sizes_have_no_broken_border(tmp_path):
    path = raw_clip(tmp_path / "c.mkv", yuv((200, 60, 30), 1, False), "yuv420p", (65, 47), colorspace=1)
    image = frames_of(path)[0].image
    assert image.shape == (47, 65, 3)
    assert np.ptp(image.reshape(-1, 3), axis=0).max() == 0


def test_the_stream_after_a_damaged_packet_is_read(tmp_path):
    path = write_clip(
        tmp_path / "a.mp4",
        [np.random.default_rng(i).integers(0, 255, (48, 64, 3), np.uint8) for i in range(40)],
        options={"preset": "ultrafast", "g": "5", "bf": "0"},
    )
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    for index in range(middle, middle + 4000):
        data[index] ^= 0x5A
    path.write_bytes(bytes(data))
    source = VideoFileSource(path)
    frames = list(source)
    assert source.damaged > 0
    assert 20 < len(frames) < 40
    assert "damaged" in source.notes[0]
    source.close()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_truncated_file_gives_its_frames_and_then_says_so(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
    path = write_clip(
        tmp_path / name, list(noise), container_options={"movflags": "faststart"} if "mp4" in name else {}
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    source, frames = VideoFileSource(path), []
    with pytest.raises(InputError, match=r"truncated.*promises video until 2\.0 s"):
        frames.extend(_each(source, frames))
    assert 25 < len(frames) < 45
    source.close()


def _each(source, seen):
    for frame in source:
        seen.append(frame)
    return []


def test_bad_files_are_named_in_one_sentence(tmp_path):
    def refuse(path, *words):
        with pytest.raises(InputError) as caught:
            VideoFileSource(path)
        message = str(caught.value)
        assert "\n" not in message
        for word in (str(path), *words):
            assert word in message

    refuse(tmp_path / "none.mp4", "does not exist")
    refuse(tmp_path, "is a folder")
    (tmp_path / "empty.mp4").touch()
    refuse(tmp_path / "empty.mp4", "0 bytes")
    (tmp_path / "text.mp4").write_text("no video in here\n" * 99)
    refuse(tmp_path / "text.mp4", "does not know this format")
    path = write_clip(tmp_path / "cut.mp4", moving(20))
    path.write_bytes(path.read_bytes()[:-300])
    refuse(path, "moov")


def test_audio_only_is_refused(tmp_path):
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=48000)
        block = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        block.sample_rate, block.pts = 48000, 0
        output.mux(stream.encode(block))
        output.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"no video \(only audio\)"):
        VideoFileSource(path)


@pytest.mark.parametrize("name", ["zero.mkv", "zero.mp4", "zero.webm"])
def test_zero_frames_are_refused(tmp_path, name):
    path = tmp_path / name
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libvpx-vp9", rate=30)
        stream.width, stream.height = 64, 48
        output.start_encoding()
    with pytest.raises(InputError, match="no video"):
        VideoFileSource(path)


@pytest.mark.parametrize("size", [(1, 1), (7680, 4320)])
def test_smallest_and_largest_frames(tmp_path, size):
    path = write_clip(tmp_path / "a.mkv", [flat((90, 120, 150), *size)], codec="mjpeg", pix_fmt="yuvj444p")
    (frame,) = frames_of(path)
    assert frame.image.shape == (*size[::-1], 3)
    assert np.abs(frame.image[0, 0].astype(int) - (90, 120, 150)).max() <= 3


def test_a_stream_that_changes_size_keeps_the_first(tmp_path):
    parts = [write_clip(tmp_path / f"{i}.ts", moving(5, *size)) for i, size in enumerate([(64, 48), (96, 80)])]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = frames_of(path)
    assert len(frames) == 10
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert all(b.pts > a.pts for a, b in pairwise(frames))


class FailingUnit:
    """Stands for a container that NVDEC decodes: the codec says so, and it fails from a packet on."""

    def __init__(self, container, fails_at):
        self._container, self._fails_at = container, fails_at

    def __getattr__(self, name):
        return getattr(self._container, name)

    def demux(self, on):
        for number, packet in enumerate(self._container.demux(on.stream)):
            yield packet if number < self._fails_at else FailingPacket()


class FailingPacket:
    def decode(self):
        raise av.error.ExternalError(542398533, "Generic error in an external library")


class OnHardware:
    """A stream whose codec says that it is decoded in hardware."""

    def __init__(self, stream):
        self.stream = stream
        self.codec_context = type("Context", (), {"is_hwaccel": True})()
        self.thread_type = "AUTO"

    def __getattr__(self, name):
        return getattr(self.stream, name)


@pytest.mark.parametrize("fails_at", [0, 5])
def test_what_nvdec_fails_on_the_cpu_decodes(tmp_path, monkeypatch, fails_at):
    """Every frame comes once, as without NVDEC, and a note tells."""
    path = write_clip(tmp_path / "a.mp4", moving(9), options={"bf": "2"})
    truth = frames_of(path)
    plain_open, plain_main = file.open_input, file.main_video
    asked = []

    def opened(path, hardware=None):
        asked.append(hardware)
        return plain_open(path) if hardware is None else FailingUnit(plain_open(path), fails_at)

    def found(container, path):
        if isinstance(container, FailingUnit):
            return OnHardware(plain_main(container._container, path))
        return plain_main(container, path)

    monkeypatch.setattr(file, "open_input", opened)
    monkeypatch.setattr(file, "main_video", found)
    source = VideoFileSource(path, gpu=1)
    frames = list(source)
    source.close()
    assert (asked[0].device_id, asked[1]) == (1, None)
    assert [f.pts for f in frames] == [f.pts for f in truth]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(frames, truth, strict=True))
    assert "the CPU decoded the others" in source.notes[0]
    assert source.damaged == 0


def test_without_a_gpu_the_cpu_decodes(tmp_path):
    """A GPU that is not there is no reason to give up."""
    if not nvdec_fault(77):
        pytest.skip("this machine has 78 GPUs")
    path = write_clip(tmp_path / "a.mp4", moving(3))
    source = VideoFileSource(path, gpu=77)
    assert len(list(source)) == 3
    source.close()
    assert "NVDEC failed on a.mp4 after 0 frames" in source.notes[0]
