"""Panorama files: what is read exactly, and what is refused in one clear sentence."""

import struct
import zlib

import cv2
import numpy as np
import OpenEXR
import pytest

from livelight.environment import Environment
from livelight.errors import LightError
from livelight.panorama_file import read_panorama
from livelight.quiet_opencv import quiet_opencv


@pytest.fixture
def radiance():
    image = np.random.default_rng(0).random((16, 32, 3), np.float32)
    image[3, 5] = (4000.0, 3000.0, 2000.0)
    return image


def write_exr(path, image, compression=OpenEXR.ZIP_COMPRESSION, channels="RGB"):
    header = {"compression": compression, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {channels: np.ascontiguousarray(image)}).write(str(path))
    return path


def write_hdr(path, image):
    cv2.imwrite(str(path), image[:, :, ::-1])
    return path


def refusal(path) -> str:
    with pytest.raises(LightError) as caught:
        Environment.load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_radiance_is_read_with_its_sun(tmp_path, radiance):
    image = read_panorama(write_hdr(tmp_path / "a.hdr", radiance))
    assert image.dtype == np.float32
    assert image == pytest.approx(radiance, rel=0.01, abs=0.02)
    assert image[3, 5] == pytest.approx([4000, 3000, 2000], rel=0.01)


def test_flat_radiance_without_run_lengths_is_read(tmp_path):
    header = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 4\n"
    path = tmp_path / "flat.hdr"
    path.write_bytes(header + bytes([128, 64, 32, 129]) * 8)
    assert read_panorama(path) == pytest.approx(np.broadcast_to([1.0, 0.5, 0.25], (2, 4, 3)), rel=0.01)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("compression", [OpenEXR.ZIP_COMPRESSION, OpenEXR.PIZ_COMPRESSION, OpenEXR.NO_COMPRESSION])
def test_openexr_is_read_exactly(tmp_path, radiance, dtype, compression):
    image = radiance.astype(dtype)
    assert np.array_equal(read_panorama(write_exr(tmp_path / "a.exr", image, compression)), image.astype(np.float32))


def test_lossy_dwab_and_alpha_are_read(tmp_path, radiance):
    rgba = np.concatenate([np.full((16, 32, 3), 0.5), np.ones((16, 32, 1))], axis=2).astype(np.float16)
    path = write_exr(tmp_path / "a.exr", rgba, OpenEXR.DWAB_COMPRESSION, "RGBA")
    assert read_panorama(path) == pytest.approx(np.full((16, 32, 3), 0.5), rel=0.05)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_an_8_bit_panorama_goes_through_the_inverse_tone_curve(tmp_path, suffix):
    image = np.full((16, 32, 3), 118, np.uint8)
    image[:, 16:] = 255
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), image)
    panorama = read_panorama(path)
    assert panorama[8, 4] == pytest.approx([0.18] * 3, rel=0.1)
    assert panorama[8, 28] == pytest.approx([8.0] * 3, rel=0.1)


def test_no_such_file(tmp_path):
    assert "no such file" in refusal(tmp_path / "none.hdr")


@pytest.mark.parametrize(("value", "word"), [(np.nan, "3 of 512 pixels are not finite"), (np.inf, "not finite")])
def test_values_that_are_not_finite(tmp_path, radiance, value, word):
    radiance[0, :3, 1] = value
    message = refusal(write_exr(tmp_path / "bad.hdr", radiance))  # told by content: an EXR under the name .hdr
    assert word in message
    assert "save it again" in message


def test_negative_values(tmp_path, radiance):
    radiance[4, 4:6] = -1
    assert "2 of 512 pixels are negative" in refusal(write_exr(tmp_path / "bad.exr", radiance))


def test_not_twice_as_wide_as_high(tmp_path):
    message = refusal(write_hdr(tmp_path / "square.hdr", np.ones((20, 30, 3), np.float32)))
    assert "30x20" in message
    assert "ordinary picture" in message


def test_too_small_a_panorama_is_told_by_its_own_rule(tmp_path):
    message = refusal(write_exr(tmp_path / "one.exr", np.ones((1, 2, 3), np.float32)))
    assert "at least 4x2 pixels, this one is 2x1" in message
    assert "twice as wide" not in message


def test_all_black(tmp_path):
    assert "all black" in refusal(write_exr(tmp_path / "black.exr", np.zeros((8, 16, 3), np.float32)))


@pytest.mark.parametrize("name", ["a.hdr", "a.exr", "a.png", "a.jpg", "a.webp"])
@pytest.mark.parametrize("part", [0.02, 0.6])
def test_a_file_that_breaks_off(tmp_path, radiance, name, part, capfd):
    path = tmp_path / name
    if name == "a.exr":
        write_exr(path, radiance)
    elif name == "a.hdr":
        write_hdr(path, radiance)
    else:
        cv2.imwrite(str(path), (np.random.default_rng(1).random((64, 128, 3)) * 255).astype(np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    refusal(path)
    assert "[ERROR" not in capfd.readouterr().err  # OpenCV's own words


def test_opencv_speaks_again_when_the_last_thread_is_done():
    log = cv2.utils.logging
    before = log.getLogLevel()
    with quiet_opencv:
        with quiet_opencv:
            pass
        assert log.getLogLevel() == log.LOG_LEVEL_SILENT
    assert log.getLogLevel() == before


@pytest.mark.parametrize("content", [b"", b"this is no picture", b"#?RADIANCE\nno resolution\n", b"RIFF____WEBP"])
def test_a_file_that_is_something_else(tmp_path, content):
    path = tmp_path / "odd.hdr"
    path.write_bytes(content)
    refusal(path)


def test_radiance_that_is_stored_upside_down_is_named(tmp_path):
    path = tmp_path / "turned.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n+Y 2 +X 4\n" + bytes(32))
    assert "+Y 2 +X 4" in refusal(path)


def png_that_claims(width, height) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    "content",
    [
        png_that_claims(60000, 30000),
        b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30000 +X 60000\n" + bytes(100),
        b"\xff\xd8\xff\xe0\x00\x04ab" + b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 30000, 60000) + bytes(20),
        b"RIFF\x00\x01\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x5f\xea\x00\x2f\x75\x00" + bytes(50),
    ],
)
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, content):
    path = tmp_path / "bomb.png"
    path.write_bytes(content)
    assert "more than the limit" in refusal(path)


def test_an_exr_without_colours_names_what_it_holds(tmp_path):
    path = tmp_path / "depth.exr"
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"Z": np.ones((8, 16), np.float32)}).write(str(path))
    assert "found Z" in refusal(path)
