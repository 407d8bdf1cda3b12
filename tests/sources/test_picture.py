import struct
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from livelight.errors import InputError, OutputError, SettingsError
from livelight.frame import Frame
from livelight.sinks.picture import PictureSink
from livelight.sources.picture import PictureSource
from livelight.sources.synthetic import SyntheticSource
from tests.clips import corners


def exif(orientation):
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0"


def write_picture(path, image, orientation=1):
    chunk = np.frombuffer(exif(orientation), np.uint8).reshape(1, -1)
    bgr = np.ascontiguousarray(image[..., ::-1])
    _, data = cv2.imencodeWithMetadata(path.suffix, bgr, [cv2.IMAGE_METADATA_EXIF], [chunk])
    path.write_bytes(data.tobytes())
    return path


def frame_of(path):
    (frame,) = list(PictureSource(path))
    return frame


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_reads_as_rgb(tmp_path, suffix):
    frame = frame_of(write_picture(tmp_path / f"p{suffix}", corners()))
    assert np.abs(frame.image.astype(int) - corners()).mean() < 3
    assert frame.image.flags.c_contiguous


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_baked_in_and_reset(tmp_path, suffix, orientation):
    turns = {
        1: lambda p: p,
        2: np.fliplr,
        3: lambda p: np.rot90(p, 2),
        4: np.flipud,
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, -1),
        7: lambda p: np.rot90(p, 2).transpose(1, 0, 2),
        8: lambda p: np.rot90(p, 1),
    }
    source = PictureSource(write_picture(tmp_path / f"in{suffix}", corners(), orientation))
    (frame,) = list(source)
    expected = turns[orientation](corners())
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(int) - expected).mean() < 3

    sink = PictureSink(tmp_path / f"out{suffix}", source.metadata)
    sink.write(frame)
    sink.close()
    again = PictureSource(tmp_path / f"out{suffix}")
    assert np.abs(next(iter(again)).image.astype(int) - expected).mean() < 4
    assert [kind for kind, _ in again.metadata] == [cv2.IMAGE_METADATA_EXIF]


def test_alpha_and_sixteen_bits(tmp_path):
    image = np.full((8, 8, 4), 65535, np.uint16)
    image[..., 2] = 128 * 257  # red in BGRA
    image[..., 3] = 100
    path = tmp_path / "deep.png"
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    assert tuple(frame_of(path).image[0, 0]) == (128, 255, 255)


@pytest.mark.parametrize("content", [None, b"", b"no picture", "cut", "folder"])
def test_bad_pictures_are_named(tmp_path, content):
    path = tmp_path / "p.png"
    if content == "folder":
        path.mkdir()
    elif content == "cut":
        write_picture(path, SyntheticSource().image(0))
        path.write_bytes(path.read_bytes()[:40])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=str(path)):
        PictureSource(path)


def test_sink_takes_one_frame_and_picture_names_only(tmp_path):
    (frame,) = SyntheticSource(frame_count=1)
    with pytest.raises(SettingsError, match=r"\.gif"):
        PictureSink(tmp_path / "p.gif")
    sink = PictureSink(tmp_path / "p.png")
    sink.write(frame)
    with pytest.raises(OutputError, match="one frame"):
        sink.write(frame)
    assert not (tmp_path / "p.png").exists()
    sink.abort()
    assert list(tmp_path.iterdir()) == []
    sink = PictureSink(tmp_path / "q.png")
    with pytest.raises(OutputError, match="No frame"):
        sink.close()
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_an_output_error(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    (frame,) = SyntheticSource(frame_count=1)
    sink = PictureSink(tmp_path / "p.png")
    sink._file.temporary.unlink()
    sink._file.temporary.symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space"):
        sink.write(frame)
    sink.abort()
    assert list(tmp_path.iterdir()) == []


SOUND_EXIF = exif(1)


def profile(space=b"RGB ", size=None, length=400, version=2):
    """The header of an ICC profile, an empty list of tags, and noise up to ``length``; size: what it says of itself."""
    size = length if size is None else size
    kind = b"mntr" + space + b"XYZ "
    date, white = struct.pack(">6H", 2026, 1, 1, 0, 0, 0), struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    head = struct.pack(">I4xB3x", size, version) + kind + date + b"acsp" + bytes(28) + white + bytes(48 + 4)
    return head + np.random.default_rng(0).bytes(length - len(head))


def written(path, metadata):
    """The notes of a sink that writes a picture with this metadata, and the metadata that the file then holds."""
    (frame,) = SyntheticSource(64, 48, frame_count=1)
    sink = PictureSink(path, metadata)
    sink.write(frame)
    sink.close()
    back = PictureSource(path)
    assert (back.width, back.height) == (64, 48)
    assert np.abs(next(iter(back)).image.astype(int) - frame.image).mean() < 4
    return sink.notes, dict(back.metadata)


def test_xmp_travels_through_png_and_on_as_it_was(tmp_path):
    text = b"<x>a text</x>"
    for name in ("a.png", "b.png"):
        source = written(tmp_path / name, [(cv2.IMAGE_METADATA_XMP, text)])[1][cv2.IMAGE_METADATA_XMP]
        assert source.rstrip(b"\0") == text
    assert written(tmp_path / "c.webp", [(cv2.IMAGE_METADATA_XMP, source)])[1] == {cv2.IMAGE_METADATA_XMP: text}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("tail", [b"", b"\0\0\0"])
def test_a_sound_profile_travels_along_without_what_follows_it(tmp_path, suffix, tail):
    notes, kept = written(tmp_path / f"p{suffix}", [(cv2.IMAGE_METADATA_ICCP, profile() + tail)])
    assert notes == []
    assert kept == {cv2.IMAGE_METADATA_ICCP: profile()}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize(
    "chunk",
    [b"not a profile at all", b"", profile(size=401), profile()[:300], profile(b"GRAY"), profile(b"CMYK")],
    ids=["junk", "empty", "size", "cut", "grey", "cmyk"],
)
def test_a_profile_that_is_none_for_rgb_is_left_out_and_told(tmp_path, suffix, chunk):
    blocks = [(cv2.IMAGE_METADATA_EXIF, SOUND_EXIF), (cv2.IMAGE_METADATA_ICCP, chunk)]
    notes, kept = written(tmp_path / f"p{suffix}", blocks)
    assert kept == {cv2.IMAGE_METADATA_EXIF: SOUND_EXIF}
    (note,) = notes
    assert "ICC profile" in note


@pytest.mark.parametrize(
    ("kind", "chunk", "name"),
    [
        (cv2.IMAGE_METADATA_EXIF, SOUND_EXIF + bytes(100_000), "EXIF"),
        (cv2.IMAGE_METADATA_XMP, b"<x>" + b"a" * 100_000 + b"</x>", "XMP"),
        (cv2.IMAGE_METADATA_ICCP, profile(length=200_000), "ICC"),
    ],
)
def test_a_block_too_long_for_jpeg_is_left_out_and_the_others_stay(tmp_path, kind, chunk, name):
    small = {cv2.IMAGE_METADATA_EXIF: SOUND_EXIF, cv2.IMAGE_METADATA_ICCP: profile()}
    blocks = small | {kind: chunk}
    notes, kept = written(tmp_path / "p.jpg", list(blocks.items()))
    assert kept == {other: sound for other, sound in small.items() if other != kind}
    (note,) = notes
    assert name in note
    assert str(len(chunk)) in note
    assert written(tmp_path / "p.webp", list(blocks.items())) == ([], blocks)


def test_a_profile_that_png_alone_refuses_is_left_out_there(tmp_path):
    chunk = profile(length=402, version=4)  # version 4 wants a multiple of four
    notes, kept = written(tmp_path / "p.png", [(cv2.IMAGE_METADATA_ICCP, chunk)])
    assert kept == {}
    assert "ICC profile" in notes[0]
    assert written(tmp_path / "p.webp", [(cv2.IMAGE_METADATA_ICCP, chunk)])[0] == []


def test_a_picture_too_large_for_its_format_is_an_output_error(tmp_path):
    frame = SyntheticSource(20, 2).image(0).repeat(1000, axis=1)
    sink = PictureSink(tmp_path / "p.webp", [(cv2.IMAGE_METADATA_EXIF, SOUND_EXIF)])
    with pytest.raises(OutputError, match="20000x2"):
        sink.write(Frame(frame, 0, Fraction(1), 0.0))
    sink.abort()
    assert sink.notes == []
    assert list(tmp_path.iterdir()) == []
