"""A number written into a picture survives what pictures go through; a damaged one is refused."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livelight.barcode import clock_ms, elapsed_ms, read_barcode, write_barcode
from livelight.sources.synthetic import SyntheticSource
from tests.clips import pictures_of, write_clip

PICTURE = SyntheticSource(320, 180).image(0)


@given(
    number=st.integers(0, 2**32 - 1), width=st.integers(96, 700), height=st.integers(32, 400), scale=st.floats(0.75, 2)
)
@settings(deadline=None, max_examples=30)
def test_survives_scaling(number, width, height, scale):
    marked = write_barcode(cv2.resize(PICTURE, (width, height)), number)
    assert read_barcode(marked) == number
    assert read_barcode(cv2.resize(marked, (round(width * scale), round(height * scale)))) == number


@pytest.mark.parametrize(
    ("codec", "suffix", "options"),
    [
        ("libx264", ".mp4", {"preset": "ultrafast", "b": "200k"}),
        ("libvpx", ".webm", {"deadline": "realtime", "cpu-used": "8", "b": "200k"}),
    ],
)
def test_survives_codecs(tmp_path, codec, suffix, options):
    numbers = [k * 333_333_333 for k in range(10)]
    source = SyntheticSource(320, 180)
    marked = [write_barcode(source.image(k), number) for k, number in enumerate(numbers)]
    clip = write_clip(tmp_path / f"marked{suffix}", marked, codec=codec, options=options)
    assert [read_barcode(picture) for _, picture in pictures_of(clip)] == numbers


def test_survives_exposure_and_noise():
    marked = write_barcode(PICTURE, 0xDEADBEEF)
    noise = np.random.default_rng(0).normal(0, 12, marked.shape)
    for gain, base in ((0.4, 0), (0.5, 100), (1.0, 0)):
        changed = np.clip(marked * gain + base + noise, 0, 255).astype(np.uint8)
        assert read_barcode(changed) == 0xDEADBEEF


def test_pictures_without_one_and_damaged_ones_are_refused():
    marked = write_barcode(PICTURE, 123_456_789)
    assert read_barcode(PICTURE) is None
    assert read_barcode(np.zeros_like(PICTURE)) is None
    for block in range(24):
        hurt = marked.copy()
        part = hurt[:11, block * 320 // 24 : (block + 1) * 320 // 24]
        part[:] = 255 - part
        assert read_barcode(hurt) is None
    rng = np.random.default_rng(1)
    noise = [read_barcode(rng.integers(0, 256, (90, 160, 3), np.uint8)) for _ in range(20)]
    assert noise == [None] * 20


def test_the_rest_of_the_picture_stays():
    marked = write_barcode(PICTURE, 5)
    assert np.array_equal(marked[22:], PICTURE[22:])
    assert read_barcode(cv2.cvtColor(marked, cv2.COLOR_RGB2GRAY)) == 5


def test_numbers_and_pictures_that_do_not_fit():
    with pytest.raises(ValueError, match="2\\^32"):
        write_barcode(PICTURE, 1 << 32)
    with pytest.raises(ValueError, match="at least"):
        write_barcode(np.zeros((20, 20, 3), np.uint8), 1)
    assert read_barcode(np.zeros((8, 8, 3), np.uint8)) is None


def test_the_clock_goes_round():
    assert elapsed_ms(0xFFFFFFF0, 4) == 20
    before = clock_ms()
    assert elapsed_ms(before, clock_ms()) < 60_000
