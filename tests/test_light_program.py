"""From settings to the light of each moment."""

import cv2
import numpy as np
import pytest

from livelight import sphere
from livelight.color import luminance
from livelight.config import LightSettings
from livelight.environment import Environment
from livelight.errors import LightError, SettingsError
from livelight.light_code import cell_solid_angles
from livelight.light_program import build_lighting
from livelight.light_source import VideoLight
from livelight.moving_picture import LoopingVideo
from livelight.rotation import parsed_rotation
from livelight.tone import tone_gain
from tests.clips import flat, write_clip

SIZE = (96, 54)


def program(duration_s=None, **settings):
    return build_lighting(LightSettings(**settings), duration_s)


def side_of(code) -> float:
    """Mean x of the light's direction: + = the picture's right."""
    weight = luminance(code) * cell_solid_angles()
    return float((weight * sphere.directions(16, 16)[..., 0]).sum() / weight.sum())


def card(code) -> float:
    """Luminance of a grey card that faces the camera under a code."""
    weight = cell_solid_angles() * np.maximum(sphere.directions(16, 16)[..., 2], 0)
    return float(0.18 / np.pi * (luminance(code) * weight).sum())


@pytest.fixture
def half_lit(tmp_path):
    """A picture that is bright on its right."""
    picture = np.full((90, 160, 3), 40, np.uint8)
    picture[:, 80:] = 235
    cv2.imwrite(str(tmp_path / "room.png"), picture)
    return tmp_path / "room.png"


def test_static_settings_give_the_same_light_every_time():
    lighting = program(background="env", tone=1.0)
    first = lighting.at(0.0, *SIZE)
    assert lighting.at(0.5, *SIZE) is first
    assert lighting.at(0.5, 64, 64).backdrop.shape == (64, 64, 3)
    assert lighting.at(0.5, 64, 64).code is first.code


def test_the_light_has_the_forms_that_its_contract_promises():
    light = program(background="env", intensity=0.5).at(0.0, *SIZE)
    assert (light.code.shape, light.code.dtype) == ((16, 16, 3), np.float32)
    assert (light.backdrop.shape, light.backdrop.dtype) == ((54, 96, 3), np.uint8)
    assert (light.tone_gain.shape, light.tone_gain.dtype) == ((3,), np.float32)
    assert light.intensity == 0.5
    assert light.blur == 0


@pytest.mark.parametrize("env", ["softbox-left", "overcast", "golden-hour"])
def test_exposure_is_that_of_a_grey_card(env):
    assert card(program(env=env).at(0, *SIZE).code) == pytest.approx(0.18, rel=0.1)
    twice, once = (program(env=env, exposure=stops).at(0, *SIZE).code for stops in (1.0, 0.0))
    assert twice == pytest.approx(2 * once, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "brighten"),
    [
        ({}, 0.7),
        ({"background": "env"}, 0.7),
        ({"background": "env", "tone": 0.5}, 0.0),
        ({"background": "env", "exposure": "keep"}, 0.0),
        ({"exposure": "keep"}, 0.7),
    ],
)
def test_a_person_is_kept_bright_unless_the_background_says_how_bright(settings, brighten):
    program = build_lighting(LightSettings(env="overcast", brighten=0.7, **settings), None)
    assert program.at(0.0, 64, 36).brighten == brighten


def test_keep_uses_the_values_of_the_file(tmp_path):
    path = tmp_path / "even.hdr"
    cv2.imwrite(str(path), np.full((16, 32, 3), 7.0, np.float32))
    assert program(env=str(path), exposure="keep").at(0, *SIZE).code == pytest.approx(
        np.full((16, 16, 3), 7.0), rel=0.02
    )


def test_rotation_moves_over_the_length_of_the_clip():
    lighting = program(duration_s=4.0, env="split", rotate="0..180")
    sides = [side_of(lighting.at(t, *SIZE).code) for t in (0.0, 1.0, 2.0, 3.0, 4.0, 9.0)]
    assert sides[0] < -0.5
    assert sides[4] > 0.5
    assert sides[5] == sides[4]


def test_rotation_of_a_camera_repeats_after_its_period():
    rotation = parsed_rotation("0..360", None, 10.0)
    assert [rotation.at(t) for t in (0, 5, 10, 12.5)] == [0, 180, 0, 90]
    assert parsed_rotation("-30", None, 10.0).at(7) == -30
    assert parsed_rotation("20..-20", 4.0, 10.0).at(1) == 10
    assert parsed_rotation("0..90", 0.0, 10.0).at(0) == 0


@pytest.mark.parametrize("text", ["fast", "1..2..3", "", "..", "nan", "0..inf", "1e308..-1e308", "1000001"])
def test_a_rotation_that_is_none(text):
    with pytest.raises(SettingsError, match="rotate must be degrees"):
        parsed_rotation(text, None, 10.0)


def test_the_view_of_the_environment_follows_its_rotation():
    # rim's strips stand 35 degrees on either side of the centre: turned by -20, one is seen 15 degrees right of it
    lighting = program(duration_s=2.0, env="rim", rotate="-20..20", background="env", fov_deg=60, exposure=-2.0)
    columns = []
    for time_s in (0.0, 2.0):
        level = lighting.at(time_s, *SIZE).backdrop.astype(float).sum(axis=(0, 2))
        columns.append(np.flatnonzero(level > 0.9 * level.max()).mean())
    assert columns == pytest.approx([47.5 + 48 * np.tan(a) / np.tan(np.pi / 6) for a in np.deg2rad([15, -15])], abs=3)


def test_backgrounds(tmp_path, half_lit):
    assert program(background="keep").at(0, *SIZE).backdrop is None
    blurred = program(background="blur", blur=20).at(0, *SIZE)
    assert (blurred.backdrop, blurred.blur) == (None, 20)
    assert (program(background="#102030").at(0, *SIZE).backdrop == (16, 32, 48)).all()
    assert (program(background="Navy").at(0, *SIZE).backdrop == (0, 0, 128)).all()
    picture = program(background=str(half_lit)).at(0, *SIZE).backdrop
    assert picture[:, :40].mean() < 50 < 200 < picture[:, 56:].mean()


def test_a_background_video_moves_and_is_cached_in_between(tmp_path):
    path = write_clip(tmp_path / "b.mp4", [flat((v, v, v)) for v in (40, 200)], rate=2)
    lighting = program(background=str(path))
    first = lighting.at(0.0, *SIZE)
    assert lighting.at(0.3, *SIZE) is first
    later = lighting.at(0.6, *SIZE)
    assert later.backdrop.mean() > first.backdrop.mean() + 100
    assert later.code is first.code


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"env": "sofbox-left"}, "did you mean softbox-left"),
        ({"env": "nowhere.hdr"}, "no such file"),
        ({"env": "somewhere/else"}, "no such file"),
        ({"env": "."}, "folder"),
        ({"background": "nay-vy"}, "did you mean navy"),
        ({"background": "none.jpg"}, "no such file"),
    ],
)
def test_what_cannot_be_found_is_named(settings, words):
    with pytest.raises(LightError, match=words):
        program(**settings)


def test_a_rig_file_of_ones_own(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('summary = "x"\n[[light]]\nkind = "bulb"\nazimuth_deg = 80\n[[fill]]\nratio = 0.2\n')
    assert side_of(program(env=str(path)).at(0, *SIZE).code) > 0.3


def test_an_ordinary_picture_lights_from_its_bright_side_and_is_its_own_background(half_lit):
    light = program(env=str(half_lit), background="env").at(0, *SIZE)
    assert side_of(light.code) > 0.2
    assert light.backdrop[:, 56:].mean() > light.backdrop[:, :40].mean() + 100
    turned = program(env=str(half_lit), rotate="180", background="env").at(0, *SIZE)
    assert side_of(turned.code) < -0.2
    assert np.array_equal(turned.backdrop, light.backdrop)


def test_light_from_a_video_glides_after_the_picture(tmp_path):
    left, right = flat((30, 30, 30)), flat((30, 30, 30))
    left[:, :32], right[:, 32:] = 230, 230
    path = write_clip(tmp_path / "v.mp4", [left] * 5 + [right] * 40, rate=30)
    light = VideoLight(LoopingVideo(path), 60.0)
    sides = [side_of(Environment(light.at(i / 30)).light_code()) for i in range(44)]
    assert sides[0] < -0.2
    assert sides[-1] > 0.2
    assert (np.diff(sides) > -1e-3).all()
    assert max(np.diff(sides)) < 0.2 * (sides[-1] - sides[0])
    assert sides[7] < 0  # two frames after the cut, it is on its way


def test_tone_brings_the_card_to_the_background():
    even = Environment.from_image(np.ones((64, 128, 3), np.float32)).exposed(0.0)
    background = np.array([0.3, 0.25, 0.2], np.float32)
    assert 0.18 * tone_gain(background, even, 1.0) == pytest.approx(background, rel=1e-3)
    assert tone_gain(background, even, 0.0) == pytest.approx(np.ones(3))
    assert tone_gain(background, even, 0.5) ** 2 == pytest.approx(tone_gain(background, even, 1.0), rel=1e-4)


def test_tone_is_limited():
    even = Environment.from_image(np.ones((64, 128, 3), np.float32)).exposed(0.0)
    assert luminance(0.18 * tone_gain(np.zeros(3, np.float32), even, 1.0)) == pytest.approx(0.18 * 2**-0.75, rel=1e-3)
    red = tone_gain(np.array([0.5, 0.05, 0.05], np.float32), even, 1.0)
    assert red[0] / red[1] < 1.6**2 + 0.01
    assert luminance(red) == pytest.approx(luminance(np.array([0.5, 0.05, 0.05])) / 0.18, rel=1e-3)


def test_tone_needs_a_background_of_ours_and_follows_a_video_smoothly(tmp_path):
    assert program(tone=1.0).at(0, *SIZE).tone_gain == pytest.approx(np.ones(3))
    path = write_clip(tmp_path / "b.mp4", [flat((60, 60, 60))] * 3 + [flat((180, 180, 180))] * 57, rate=30)
    lighting = program(background=str(path), tone=1.0)
    gains = [float(lighting.at(i / 30, *SIZE).tone_gain[1]) for i in range(60)]
    assert gains[0] == gains[2]
    assert (np.diff(gains) >= 0).all()
    assert gains[-1] > 2 * gains[0]
    assert max(np.diff(gains)) < 0.1 * (gains[-1] - gains[0])
