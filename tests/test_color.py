from __future__ import annotations

import numpy as np

from livelight.color import linear_to_srgb8, luminance, srgb8_to_linear, srgb_to_linear


def test_every_code_survives_the_round_trip() -> None:
    codes = np.arange(256, dtype=np.uint8)
    assert np.array_equal(linear_to_srgb8(srgb8_to_linear(codes)), codes)


def test_known_values() -> None:
    # IEC 61966-2-1: mid grey 0.18 is coded 0.4613..; the toe has slope 12.92.
    assert abs(float(srgb_to_linear(np.float32(0.461356))) - 0.18) < 1e-5
    assert abs(float(srgb_to_linear(np.float32(0.01))) - 0.01 / 12.92) < 1e-8


def test_luminance_of_white_is_one() -> None:
    assert abs(float(luminance(np.ones(3))) - 1) < 1e-6
