"""The light code keeps the light's energy, evenness and direction, whichever way it is turned."""

import numpy as np
import pytest

from livelight import sphere
from livelight.environment import Environment
from livelight.light_code import cell_solid_angles

TURNS = [(0, 0), (7.3, 0), (-120, 0), (15, 40), (80, -90)]


def energy(code):
    return (code * cell_solid_angles()[:, :, None]).sum(axis=(0, 1))


@pytest.mark.parametrize(("rotate", "pitch"), TURNS)
def test_energy_of_the_whole_map_is_kept(rotate, pitch):
    image = np.random.default_rng(9).random((256, 512, 3), np.float32)
    image[90, 100] = 5e4  # a sun
    expected = (image * sphere.solid_angles(256, 512)[:, None, None]).sum(axis=(0, 1))
    code = Environment.from_image(image).rotated(rotate, pitch).light_code()
    assert code.shape == (16, 16, 3)
    assert code.dtype == np.float32
    assert energy(code) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("rotate", "pitch"), TURNS)
@pytest.mark.parametrize("rows", [8, 64, 100])
def test_even_light_gives_an_even_code(rotate, pitch, rows):
    code = Environment.from_image(np.full((rows, 2 * rows, 3), 2.5, np.float32)).rotated(rotate, pitch).light_code()
    assert code == pytest.approx(np.full((16, 16, 3), 2.5), rel=0.01)


def test_the_sun_glides_when_the_light_turns():
    image = np.full((256, 512, 3), 1e-6, np.float32)
    image[110, 300] = 1e4
    light = Environment.from_image(image)
    azimuths = []
    for rotate in range(0, 46, 3):
        code = light.rotated(rotate).light_code()
        mean = (code[..., :1] * cell_solid_angles()[..., None] * sphere.directions(16, 16)).sum(axis=(0, 1))
        azimuths.append(np.rad2deg(np.arctan2(mean[0], -mean[2])))
    assert np.diff(azimuths) == pytest.approx(np.full(15, 3.0), abs=0.3)
    assert azimuths[0] == pytest.approx((300.5 / 512 - 0.5) * 360, abs=1.5)


def test_the_code_lights_a_card_as_the_map_does():
    light = Environment.from_image(np.random.default_rng(4).random((128, 256, 3), np.float32) ** 4).rotated(50, 10)
    weight = cell_solid_angles() * np.maximum(sphere.directions(16, 16)[..., 2], 0)
    from_code = (light.light_code() * weight[..., None]).sum(axis=(0, 1))
    assert from_code == pytest.approx(light.irradiance(sphere.TOWARDS_CAMERA), rel=0.03)
