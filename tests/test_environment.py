"""Light falls from where the panorama says, as strong as it says."""

import numpy as np
import pytest

from livelight import sphere
from livelight.color import luminance
from livelight.environment import SHOULDER, Environment, rolled_off

LEFT, RIGHT, UP, DOWN, FRONT, BACK = np.array(
    [[-1, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float32
)


def spot(u: float, v: float = 0.45, radiance: float = 1000.0, rows: int = 64) -> Environment:
    """A dim world with one bright texel."""
    image = np.full((rows, 2 * rows, 3), 0.05, np.float32)
    image[int(v * rows), int(u * 2 * rows)] = radiance
    return Environment.from_image(image)


def noise(rows: int = 64) -> Environment:
    return Environment.from_image(np.random.default_rng(5).random((rows, 2 * rows, 3), np.float32) ** 6)


def lum(environment: Environment, normal) -> float:
    return float(luminance(environment.irradiance(normal)))


def test_a_spot_right_of_the_centre_column_lights_what_faces_right():
    light = spot(u=0.6)
    assert lum(light, RIGHT) > 2 * lum(light, LEFT)
    assert lum(light, BACK) > 2 * lum(light, FRONT)


def test_a_spot_high_in_the_picture_lights_what_faces_up():
    light = spot(u=0.5, v=0.2)
    assert lum(light, UP) > 3 * lum(light, DOWN)


def test_even_light_gives_pi_to_every_normal():
    even = Environment.from_image(np.ones((64, 128, 3), np.float32))
    normals = np.random.default_rng(1).normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    assert even.irradiance(normals) == pytest.approx(np.full((50, 3), np.pi), rel=1e-3)


@pytest.mark.parametrize("rows", [128, 65, 400])
def test_irradiance_is_the_cosine_integral_over_all_texels(rows):
    light = noise(rows)
    normals = np.array([[0, 0, 1], [0.6, 0.64, 0.48], [-0.8, 0, -0.6]], np.float32)
    facing = np.maximum(sphere.directions(rows, 2 * rows) @ normals.T, 0).transpose(2, 0, 1)
    weight = sphere.solid_angles(rows, 2 * rows)[:, None] * facing
    expected = np.einsum("nhw,hwc->nc", weight, light.image.astype(np.float64))
    assert light.irradiance(normals) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(("light", "error"), [(noise(), 0.003), (spot(u=0.3), 0.025)])
def test_many_normals_are_looked_up_and_agree_with_the_exact_sum(light, error):
    light = light.rotated(40, 20)
    normals = np.random.default_rng(2).normal(size=(30, 40, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    exact = np.concatenate([light.irradiance(part) for part in normals]).reshape(30, 40, 3)
    assert np.abs(light.irradiance(normals) - exact).max() < error * exact.max()


def test_turning_moves_the_light_with_the_panorama():
    behind = spot(u=0.5)
    assert lum(behind.rotated(90), RIGHT) > 5 * lum(behind.rotated(90), LEFT)
    assert lum(behind.rotated(180), FRONT) > 5 * lum(behind.rotated(180), BACK)
    assert lum(behind.rotated(0, 80), UP) > 5 * lum(behind.rotated(0, 80), BACK)
    assert lum(behind.rotated(33, 12), FRONT) == pytest.approx(lum(behind, FRONT @ behind.rotated(33, 12).turn))


@pytest.mark.parametrize(("rotate", "pitch"), [(0, 0), (90, 0), (-77, 25)])
@pytest.mark.parametrize("stops", [0.0, -1.5, 2.0])
def test_a_grey_card_facing_the_camera_comes_out_grey(rotate, pitch, stops):
    light = noise().rotated(rotate, pitch).exposed(stops)
    assert 0.18 / np.pi * lum(light, FRONT) == pytest.approx(0.18 * 2**stops, rel=1e-5)


def test_keep_takes_the_files_own_scale():
    light = noise()
    assert light.exposed(2.0).exposed("keep").irradiance(FRONT) == pytest.approx(light.irradiance(FRONT))


def test_light_from_behind_alone_does_not_ask_for_an_endless_gain():
    image = np.zeros((64, 128, 3), np.float32)
    image[30:34, 62:66] = 100.0
    light = Environment.from_image(image).exposed(0.0)
    assert lum(light, FRONT) < 0.01
    assert lum(light, BACK) == pytest.approx(np.pi * 8 * 4, rel=0.01)  # a spot gives its side four times the mean


def test_view_looks_at_the_centre_column():
    image = np.zeros((128, 256, 3), np.float32)
    image[60:68, 124:132] = (1, 0, 0)  # behind
    image[60:68, 140:148] = (0, 1, 0)  # 22 degrees right of it
    image[30:40, 124:132] = (0, 0, 1)  # above
    view = Environment.from_image(image).view(160, 120, 100.0)
    rows, columns = np.mgrid[:120, :160]
    red, green, blue = ((view[..., c] * rows).sum() / view[..., c].sum() for c in range(3))
    red_x, green_x = ((view[..., c] * columns).sum() / view[..., c].sum() for c in range(2))
    assert (red_x, red) == pytest.approx((79.5, 59.5), abs=1)
    expected = 79.5 + 80 * np.tan(np.deg2rad((144 / 256 - 0.5) * 360)) / np.tan(np.deg2rad(50))
    assert green_x == pytest.approx(expected, abs=1)
    assert green == pytest.approx(red, abs=1)
    assert blue < red - 20


def test_the_picture_keeps_middle_tones_and_rolls_off_highlights():
    ramp = np.linspace(0, 5, 200, dtype=np.float32)
    recorded = rolled_off(ramp)
    assert recorded[ramp < SHOULDER] == pytest.approx(ramp[ramp < SHOULDER])
    assert (np.diff(recorded) > 0).all()
    assert recorded.max() < 1
    grey = Environment.from_image(np.full((16, 32, 3), 0.18, np.float32)).picture(320, 180, 60.0)
    assert (grey == 118).all()


def test_rotating_moves_the_view_to_the_right():
    light = spot(u=0.5, v=0.5)
    column = [int(light.rotated(angle).view(200, 100, 90.0)[..., 1].sum(axis=0).argmax()) for angle in (-20, 0, 20)]
    assert column[0] < column[1] - 20 < column[2] - 40


@pytest.mark.parametrize(("rotate", "pitch"), [(0, 0), (170, 0), (-170, 30), (725, -60)])
def test_the_view_is_the_turned_panorama(rotate, pitch):
    coarse = sphere.padded(np.random.default_rng(6).random((8, 16, 3), np.float32))
    light = Environment.from_image(sphere.sampled(coarse, sphere.directions(256, 512))).rotated(rotate, pitch)
    turned = Environment.from_image(light.drawn(256))
    assert np.abs(light.view(64, 48, 70.0) - turned.view(64, 48, 70.0)).mean() < 0.005  # at the pole, columns meet


def test_a_sun_between_samples_keeps_its_light_in_a_small_view():
    light = spot(u=0.5, v=0.5, radiance=1e5, rows=512)
    sums = [light.rotated(angle).view(64, 48, 80.0).sum() for angle in np.linspace(0, 2, 9)]
    assert min(sums) > 0.5 * max(sums) > 0


def test_balls_show_the_light_on_its_side():
    light = spot(u=0.1)  # front left
    for ball in (light.mirror_ball(64), light.grey_ball(64)):
        assert ball.shape == (64, 64, 3)
        assert ball[0, 0].max() == 0
        assert ball[:, :32].sum() > 1.3 * ball[:, 32:].sum()
    front = Environment.from_image(np.ones((64, 128, 3), np.float32)).exposed(0.0)
    assert front.grey_ball(64)[32, 32] == pytest.approx([0.18] * 3, rel=0.01)


def test_drawn_shows_the_turned_panorama():
    picture = spot(u=0.5, v=0.5).rotated(45).drawn(64)
    assert picture.shape == (64, 128, 3)
    assert picture[..., 0].sum(axis=0).argmax() == pytest.approx(64 + 16, abs=1)
