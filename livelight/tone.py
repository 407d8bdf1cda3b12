"""Tone: bring the relit person to the exposure and tint that the camera of the background had (Pixel Cube's control).

Grey-world reasoning: the mean of the background picture is taken for a grey card of albedo 0.18 in its place, as its
camera recorded it. The same card before our camera, under the light that falls on the person, comes out at
card = 0.18 / pi x irradiance. The gain that brings the second to the first, split into exposure (luminance) and tint,
each limited, is applied in part: gain = (exposure x tint) ** tone. Under an environment estimated from that same
background the tint is nearly 1, since the light carries it already.
"""

from __future__ import annotations

import numpy as np

from livelight import sphere
from livelight.color import LUMA, luminance, srgb8_to_linear
from livelight.environment import GREY_CARD, Environment
from livelight.moving_picture import Picture
from livelight.sphere import F32

EXPOSURE_STOPS = 0.75
"""Most that the person is brightened or darkened, stops; more burns out faces before a bright sky."""

TINT = 1.6
"""Most that a channel is raised or lowered against luminance, a factor."""

SMOOTHING_S = 0.5
"""Time constant with which the gain follows a background video."""


def mean_of(picture: Picture) -> F32:
    """Mean linear colour float32 (3,) of a uint8 (h, w, 3) sRGB picture, from about 64 x 64 of its pixels."""
    step_y, step_x = (max(1, size // 64) for size in picture.shape[:2])
    return np.asarray(srgb8_to_linear(picture[::step_y, ::step_x]).mean(axis=(0, 1)), np.float32)


def tone_gain(background: F32, environment: Environment, tone: float) -> F32:
    """Linear gain float32 (3,) on the person.

    background: mean linear colour (3,) of what stands behind. environment: exposed light. tone: [0, 1], 0 gives ones.
    """
    if tone == 0:
        return np.ones(3, np.float32)
    card = environment.irradiance(sphere.TOWARDS_CAMERA) * (GREY_CARD / np.pi)
    wanted = np.maximum(background, 1e-4)
    card = np.maximum(card, 1e-4)
    ratio = float(luminance(wanted) / luminance(card))
    exposure = np.clip(ratio, 2.0**-EXPOSURE_STOPS, 2.0**EXPOSURE_STOPS)
    tint = np.clip(wanted / card / ratio, 1 / TINT, TINT)
    tinted_card = card * tint
    tint *= (card @ LUMA) / (tinted_card @ LUMA)  # the limits must not change the exposure
    return np.asarray((exposure * tint) ** tone, np.float32)
