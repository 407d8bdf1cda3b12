"""Rigs: every preset lights from where it says; files are read strictly and refused in words that help."""

import numpy as np
import pytest

from livelight import sphere
from livelight.blackbody import blackbody, chromaticity
from livelight.color import luminance
from livelight.environment import Environment
from livelight.errors import LightError
from livelight.rig import load_preset, load_rig, parse_rig, rig_names
from livelight.rig_panorama import rendered, towards_lamp

LAMP = '[[light]]\nkind = "{kind}"\nazimuth_deg = {azimuth}\nelevation_deg = {elevation}\nsize_m = {size}\n'


@pytest.fixture(scope="module")
def presets():
    return {name: Environment.from_image(rendered(load_preset(name))).exposed(0.0) for name in rig_names()}


def lit(environment, *normal) -> float:
    return float(luminance(environment.irradiance(np.array(normal, np.float32) / np.linalg.norm(normal))))


def rig_of(text: str):
    return parse_rig('summary = "test"\n' + text, "test.toml")


def test_there_is_a_choice():
    assert len(rig_names()) >= 14
    assert {"softbox-left", "rembrandt", "golden-hour", "neon", "overcast"} <= set(rig_names())


def test_every_preset_is_a_panorama_with_one_line_about_it(presets):
    for name, environment in presets.items():
        assert environment.image.shape == (128, 256, 3)
        assert load_preset(name).summary.isprintable()


def test_presets_that_name_a_side_light_that_side(presets):
    checked = 0
    for name, environment in presets.items():
        summary = load_preset(name).summary
        sides = [side for side in ("left", "right") if f"picture's {side}" in summary]
        if len(sides) == 1:
            sign = {"left": -1, "right": 1}[sides[0]]
            assert lit(environment, 0.6 * sign, 0, 0.8) > 1.1 * lit(environment, -0.6 * sign, 0, 0.8), name
            checked += 1
    assert checked >= 9


def test_left_and_right_presets_mirror_each_other(presets):
    for kind in ("softbox", "window"):
        left, right = presets[f"{kind}-left"].image, presets[f"{kind}-right"].image
        assert np.allclose(left, right[:, ::-1], rtol=1e-3, atol=1e-3)


def test_neon_is_magenta_on_the_left_and_cyan_on_the_right(presets):
    red, green, blue = presets["neon"].irradiance(np.array([-1, 0, 0], np.float32))
    assert min(red, blue) > 2 * green
    red, green, blue = presets["neon"].irradiance(np.array([1, 0, 0], np.float32))
    assert min(green, blue) > 2 * red


def test_heights_and_depths_of_the_presets(presets):
    assert lit(presets["overcast"], 0, 1, 0) > 2 * lit(presets["overcast"], 0, -1, 0)
    assert lit(presets["butterfly"], 0, 0.6, 0.8) > 1.2 * lit(presets["butterfly"], 0, -0.6, 0.8)
    assert lit(presets["monitor-glow"], 0, -0.5, 0.8) > 1.1 * lit(presets["monitor-glow"], 0, 0.5, 0.8)
    assert lit(presets["rim"], 0, 0, -1) > 3 * lit(presets["rim"], 0, 0, 1)
    assert lit(presets["ring-light"], 0, 0, 1) > 3 * lit(presets["ring-light"], 1, 0, 0)


def test_warm_presets_are_warm_and_cold_ones_cold(presets):
    for name, warm in (("candle", True), ("desk-lamp", True), ("golden-hour", True), ("moonlight", False)):
        red, _, blue = presets[name].irradiance(sphere.TOWARDS_CAMERA)
        assert (red > 1.2 * blue) == warm, name


SIZES = {"softbox": "[0.9, 1.2]", "strip": "[0.3, 1.2]", "window": "[1.2, 1.6]", "monitor": "[0.6, 0.34]"}


@pytest.mark.parametrize("kind", ["softbox", "strip", "window", "monitor", "umbrella", "ring", "bulb", "spot", "sun"])
@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (-60, 30), (135, -20), (20, 89)])
def test_a_lamp_of_ratio_1_gives_pi_to_what_faces_it(kind, azimuth, elevation):
    rig = rig_of(LAMP.format(kind=kind, azimuth=azimuth, elevation=elevation, size=SIZES.get(kind, 0.5)))
    environment = Environment.from_image(rendered(rig))
    assert lit(environment, *towards_lamp(rig.light[0])) == pytest.approx(np.pi, rel=0.01)


def test_a_lamp_stands_where_its_angles_say():
    def direction(azimuth, elevation):
        return towards_lamp(rig_of(LAMP.format(kind="bulb", azimuth=azimuth, elevation=elevation, size=0.1)).light[0])

    assert direction(0, 0) == pytest.approx([0, 0, 1], abs=1e-6)
    assert direction(90, 0) == pytest.approx([1, 0, 0], abs=1e-6)
    assert direction(-90, 0) == pytest.approx([-1, 0, 0], abs=1e-6)
    assert direction(180, 0) == pytest.approx([0, 0, -1], abs=1e-6)
    assert direction(0, 90) == pytest.approx([0, 1, 0], abs=1e-6)


def test_a_softbox_covers_its_apparent_size():
    text = LAMP.format(kind="softbox", azimuth=180, elevation=0, size="[2.0, 1.0]") + "distance_m = 1.0\n"
    image = luminance(rendered(rig_of(text)))
    seen = image > 0.3 * image.max()
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    assert len(columns) * 360 / 256 == pytest.approx(2 * 45, abs=6)
    assert len(rows) * 180 / 128 == pytest.approx(2 * 26.6, abs=4)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(127.5, abs=1)


def test_fill_gives_its_ratio_to_what_faces_the_camera():
    rig = rig_of("[[fill]]\nratio = 0.5\nabove = 3.0\nbelow = 0.2\n")
    assert lit(Environment.from_image(rendered(rig)), 0, 0, 1) == pytest.approx(0.5 * np.pi, rel=0.01)


def test_blackbody_colours_follow_the_published_locus():
    # CIE 15: illuminant A is a blackbody of 2856 K at x = 0.4476, y = 0.4074; 6500 K lies at 0.3135, 0.3237.
    assert chromaticity(2856) == pytest.approx((0.4476, 0.4074), abs=1e-3)
    assert chromaticity(6500) == pytest.approx((0.3135, 0.3237), abs=1e-3)


def test_higher_kelvin_is_bluer_and_the_white_point_is_neutral():
    ratios = [float(b / r) for r, _, b in (blackbody(kelvin, 5600) for kelvin in range(1700, 20000, 300))]
    assert all(np.diff(ratios) > 0)
    assert blackbody(4300, 4300) == pytest.approx([1, 1, 1], rel=1e-3)
    assert luminance(blackbody(3200, 5600)) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[light]]\nkind = 'softbox'\nazimut_deg = 3\n", ["unknown key 'azimut_deg' in light 1", "'azimuth_deg'"]),
        ("exposure = 1\n[[fill]]\n", ["unknown key 'exposure'", "known are"]),
        ("[[fill]]\nkelvinn = 3000\n", ["unknown key 'kelvinn' in fill 1", "'kelvin'"]),
        ("[[light]]\nkind = 'laser'\nazimuth_deg = 3\n", ["light 1 kind", "softbox"]),
        ("[[light]]\nkind = 'ring'\nazimuth_deg = 0\nsize_m = [1.0, 1.0]\n", ["light 1", "diameter"]),
        ("[[light]]\nkind = 'window'\nazimuth_deg = 0\nsize_m = 1.0\n", ["light 1", "[width, height]"]),
        ("[[light]]\nkind = 'bulb'\nazimuth_deg = 500\n", ["light 1 azimuth_deg", "180"]),
        ("[[fill]]\nratio = nan\n", ["fill 1 ratio", "finite"]),
        ("[[fill]]\nkelvin = 3000\ncolor = '#ffffff'\n", ["fill 1", "either kelvin or color"]),
        ("[[fill]]\ncolor = 'red'\n", ["fill 1 color"]),
        ("", ["at least one"]),
        ("[[light]\n", ["not TOML"]),
    ],
)
def test_a_wrong_rig_is_refused_in_one_sentence(text, words):
    with pytest.raises(LightError) as caught:
        rig_of(text)
    message = str(caught.value)
    assert message.startswith("test.toml: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_an_unknown_preset_suggests_near_names():
    with pytest.raises(LightError, match="softbox-left"):
        load_preset("sofbox-left")


def test_a_missing_or_binary_or_huge_rig_file(tmp_path):
    with pytest.raises(LightError, match="no such file"):
        load_rig(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(bytes(range(256)))
    with pytest.raises(LightError, match="as text"):
        load_rig(tmp_path / "binary.toml")
    (tmp_path / "huge.toml").write_text("#" * 100_000)
    with pytest.raises(LightError, match="larger"):
        load_rig(tmp_path / "huge.toml")
