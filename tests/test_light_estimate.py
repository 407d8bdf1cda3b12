"""Light estimated from a picture comes from where the picture is bright."""

import numpy as np
import pytest

from livelight.color import luminance
from livelight.environment import Environment
from livelight.highlights import WHITE, expanded
from livelight.light_estimate import estimated_panorama

LEFT, RIGHT, UP, DOWN, FRONT = np.array([[-1, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1]], np.float32)


def picture(rows: slice = slice(None), columns: slice = slice(None), size=(90, 160), dark=40, bright=230):
    image = np.full((*size, 3), dark, np.uint8)
    image[rows, columns] = bright
    return image


def estimated(image, fov_deg: float = 60.0) -> Environment:
    return Environment.from_image(estimated_panorama(image, fov_deg)).exposed(0.0)


def lum(environment, normal) -> float:
    return float(luminance(environment.irradiance(normal)))


@pytest.mark.parametrize("size", [(90, 160), (160, 90), (1, 1), (2, 4000)])
def test_any_shape_gives_a_panorama(size):
    panorama = estimated_panorama(np.full((*size, 3), 128, np.uint8), 60.0)
    assert panorama.shape == (64, 128, 3)
    assert np.allclose(panorama, panorama[0, 0, 0], rtol=1e-4)


@pytest.mark.parametrize("fov_deg", [30.0, 60.0, 100.0])
def test_a_bright_left_half_lights_the_left(fov_deg):
    light = estimated(picture(columns=slice(0, 80)), fov_deg)
    assert lum(light, LEFT) > 2 * lum(light, RIGHT)
    front_left, front_right = np.array([[-0.6, 0, 0.8], [0.6, 0, 0.8]], np.float32)
    assert lum(light, front_left) > 1.3 * lum(light, front_right)


def test_a_bright_top_lights_from_above():
    light = estimated(picture(rows=slice(0, 30)))
    assert lum(light, UP) > 1.5 * lum(light, DOWN)


def test_colours_stay_on_their_side():
    image = picture(bright=40)
    image[:, :80, 0], image[:, 80:, 2] = 200, 200
    light = estimated(image)
    (red, _, blue), (other_red, _, other_blue) = light.irradiance(LEFT), light.irradiance(RIGHT)
    assert red > 1.5 * blue
    assert other_blue > 1.5 * other_red


def test_the_camera_sees_the_picture_behind_the_person():
    view = estimated(picture(slice(20, 70), slice(20, 60))).view(160, 90, 60.0)
    level = luminance(view)
    assert level[45, 40] > 5 * level[45, 120]
    assert level[45, 40] > 5 * level[5, 40]


def test_clipped_pixels_count_eight_times_white_and_midtones_are_believed():
    assert expanded(np.full((1, 1, 3), 255, np.uint8)) == pytest.approx(WHITE)
    grey = expanded(np.full((1, 1, 3), 118, np.uint8))
    assert grey == pytest.approx(0.18, rel=0.02)
    ramp = expanded(np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2))[0, :, 0]
    assert (np.diff(ramp) > 0).all()


def test_a_black_picture_gives_faint_even_light():
    light = estimated(np.zeros((9, 16, 3), np.uint8))
    assert lum(light, FRONT) == pytest.approx(np.pi, rel=1e-3)
    assert lum(light, LEFT) == pytest.approx(np.pi, rel=1e-2)
