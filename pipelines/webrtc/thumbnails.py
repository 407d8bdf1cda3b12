"""Small pictures of environments and backgrounds, as JPEG bytes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.backdrop import Backdrop
from livelight.color import linear_to_srgb8
from livelight.environment import Environment, rolled_off
from livelight.light_source import LightSource

ROWS = 128
"""Height of a thumbnail, and size of a ball, pixels; a panorama is twice as wide."""

_BALL_GAIN = 3.0  # the grey card's 0.18 is dark for a picture of a light: about a white ball


def panorama_jpeg(source: LightSource) -> bytes:
    """The whole panorama, exposed as standard: 256 x 128."""
    environment = Environment(source.at(0.0)).exposed(0.0)
    return _jpeg(linear_to_srgb8(rolled_off(environment.drawn(ROWS))))


def ball_jpeg(source: LightSource) -> bytes:
    """A matte ball in the light, as the camera sees it, on black: 128 x 128."""
    environment = Environment(source.at(0.0)).exposed(0.0)
    return _jpeg(linear_to_srgb8(rolled_off(environment.grey_ball(ROWS) * np.float32(_BALL_GAIN))))


def backdrop_jpeg(backdrop: Backdrop, light: LightSource) -> bytes:
    """A background, picture, video or panorama, as it begins: 256 x 128. light: any; it does not show."""
    picture = backdrop.at(0.0, 2 * ROWS, ROWS, Environment(light.at(0.0)))
    assert picture is not None  # a background that is a file hides the room
    return _jpeg(picture)


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    return encoded.tobytes()
