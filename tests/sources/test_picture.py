import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from livelight.errors import InputError, OutputError, SettingsError
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
