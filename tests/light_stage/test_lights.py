"""Light sampling (NVPR eq. 9), the exposure rule, panoramas averaged in solid angle, splits."""

import cv2
import numpy as np
import pytest

from training.light_stage import assets
from training.light_stage.directions import direction, solid_angles
from training.light_stage.lamps import COLOURED, KEYS, coloured_lamps, key_light, lights_with_keys, two_colours
from training.light_stage.lights import (
    Light,
    Panoramas,
    average,
    exposed,
    grey_card,
    mix,
    rig,
    sample_lights,
    screen_glow,
    without_sun,
)
from training.light_stage.splits import TEST_SKINS, VAL_SKINS, panoramas_of, skins_of, split_of_seed

needs_assets = pytest.mark.skipif(not assets.available(), reason="LIVELIGHT_ASSETS does not hold the assets")


@pytest.fixture
def panoramas(tmp_path):
    """Two small panoramas with a sun each."""
    rng = np.random.default_rng(0)
    files = []
    for i in range(2):
        image = rng.uniform(0.1, 1, (128, 256, 3)).astype(np.float32)
        image[40, 30 + 90 * i] = 5e4
        files.append(tmp_path / f"{i}.hdr")
        cv2.imwrite(str(files[-1]), image)
    return Panoramas(files)


def test_what_is_seen_is_what_lights(panoramas):
    sharp, soft = panoramas.view(0, 90.0), panoramas.turned(0, 90.0)
    assert sharp.shape == (128, 256, 3)
    assert sharp.dtype == np.float32
    assert average(sharp, 64, 128) == pytest.approx(soft, rel=2e-3)


def test_a_sun_taken_off_a_code_is_not_lost():
    code = np.ones((16, 16, 3), np.float32)
    code[4, 7] = [4e3, 3e3, 2e3]
    even, sun = without_sun(code)
    weight = solid_angles(16, 16)[..., None]
    assert ((even * weight).sum((0, 1)) + sun) == pytest.approx((code * weight).sum((0, 1)), rel=1e-4)
    assert (even * weight).sum(-1).max() < 0.2 * (code * weight).sum()
    assert sun[0] > sun[2] > 0
    calm = np.ones((16, 16, 3), np.float32)
    assert without_sun(calm)[1].max() == 0
    assert (without_sun(calm)[0] == calm).all()


def test_average_keeps_the_sun_s_energy():
    image = np.zeros((128, 256, 3), np.float32)
    image[20, 77] = 1e5
    energy = (image * solid_angles(128, 256)[..., None]).sum()
    code = average(image, 16, 16)
    assert (code * solid_angles(16, 16)[..., None]).sum() == pytest.approx(energy, rel=1e-4)


def test_rotation_moves_content_to_the_right(panoramas):
    still, turned = panoramas.turned(0, 0), panoramas.turned(0, 90)
    assert turned == pytest.approx(np.roll(still, 32, axis=1))


def test_exposed_code_lights_a_white_card_to_one():
    code = exposed(np.random.default_rng(0).uniform(0, 1, (16, 16, 3)).astype(np.float32))
    assert grey_card(code) @ np.float32([0.2126, 0.7152, 0.0722]) == pytest.approx(1.0, rel=1e-4)


def test_sample_lights_is_reproducible_and_physical(panoramas):
    for seed in range(20):
        lights = sample_lights(np.random.default_rng(seed), panoramas)
        again = sample_lights(np.random.default_rng(seed), panoramas)
        for light, same in zip(lights, again, strict=True):
            assert light.code.shape == (16, 16, 3)
            assert np.isfinite(light.code).all()
            assert light.code.min() >= 0
            assert (light.code == same.code).all()


def test_mix_is_linear_in_code_and_lamps():
    a = Light(np.full((16, 16, 3), 1.0, np.float32), [(2, np.ones(3, np.float32))])
    b = Light(np.full((16, 16, 3), 3.0, np.float32))
    mixed = mix(a, b, 0.25)
    assert mixed.code == pytest.approx(2.5)
    assert mixed.hard[0][0] == 2
    assert mixed.hard[0][1] == pytest.approx(0.25)


def test_told_code_holds_the_lamp_s_energy():
    light = Light(np.zeros((16, 16, 3), np.float32), [(0, np.float32([1, 2, 3]))])
    told = light.with_hard(np.float32([[0.6, 0.0, 0.8]]))
    assert (told * solid_angles(16, 16)[..., None]).sum((0, 1)) == pytest.approx([1, 2, 3], rel=1e-4)


def test_rig_is_finite_and_lit():
    for seed in range(20):
        code = rig(np.random.default_rng(seed)).code
        assert np.isfinite(code).all()
        assert code.min() >= 0
        assert code.max() > 0


def test_key_lights_shine_from_where_portraits_have_them():
    """Most from above and in front, one lamp each, and none so bright or so small that a clip cannot show it."""
    d = direction(*np.meshgrid((np.arange(16) + 0.5) / 16, (np.arange(16) + 0.5) / 16))
    codes = [key_light(np.random.default_rng(seed)).code for seed in range(200)]
    power = np.stack([code.mean(-1) * solid_angles(16, 16) for code in codes])
    middle = np.einsum("nyx,yxc->nc", power, d)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    assert (middle[:, 1] > 0.5).mean() > 0.6
    assert (middle[:, 2] > 0).mean() > 0.7
    assert (power.max((1, 2)) / power.sum((1, 2))).max() < 0.3
    assert max(float(code.max()) for code in codes) < 60


def test_a_share_of_the_targets_is_a_key_light(panoramas):
    drawn = [lights_with_keys(np.random.default_rng(seed), panoramas)[2] for seed in range(200)]
    keys = [light for light in drawn if [index for _, index, _ in light.sources] == [-1] and not light.hard]
    assert 0.6 * (KEYS + COLOURED) < len(keys) / 200 < 1.5 * (KEYS + COLOURED)
    tints = np.stack([light.code.mean((0, 1)) for light in keys])
    coloured = (tints.min(1) < 0.55 * tints.max(1)).mean()
    assert 0.3 * COLOURED / (KEYS + COLOURED) < coloured < 1.2 * COLOURED / (KEYS + COLOURED)


def test_coloured_lamps_are_coloured_and_come_from_behind_too():
    d = direction(*np.meshgrid((np.arange(16) + 0.5) / 16, (np.arange(16) + 0.5) / 16))
    codes = np.stack([coloured_lamps(np.random.default_rng(seed)).code for seed in range(200)])
    power = codes * solid_angles(16, 16)[..., None]
    total = power.sum((1, 2))
    assert codes.min() >= 0
    assert codes.max() < 120
    assert 0.2 < (total.min(1) / total.max(1) < 0.4).mean() < 0.8
    behind = (power.sum(3) * (d[..., 2] < 0)).sum((1, 2)) / power.sum((1, 2, 3))
    assert 0.2 < (behind > 0.5).mean() < 0.8


def test_two_colours_come_from_two_sides():
    d = direction(*np.meshgrid((np.arange(16) + 0.5) / 16, (np.arange(16) + 0.5) / 16))
    for seed in range(40):
        code = two_colours(np.random.default_rng(seed)).code * solid_angles(16, 16)[..., None]
        sides = [code[side * d[..., 0] > 0.2].sum(0) for side in (-1, 1)]
        warm, cool = sorted(side[2] / side[0] for side in sides)
        assert code.min() >= 0
        assert cool > 1.15 * warm


def test_splits_of_identities_share_none_and_have_all():
    splits = [split_of_seed(i) for i in range(2000)]
    assert 0.05 < splits.count("val") / 2000 < 0.11
    assert 0.05 < splits.count("test") / 2000 < 0.11


@needs_assets
def test_skins_and_panoramas_are_not_shared():
    train, val, test = (set(skins_of(s)) for s in ("train", "val", "test"))
    assert not (train & val)
    assert not (train & test)
    assert not (val & test)
    assert set(VAL_SKINS) == val
    assert set(TEST_SKINS) == test
    files = [set(panoramas_of(s)) for s in ("train", "val", "test")]
    assert all(files)
    assert not (files[0] & files[1])
    assert not (files[0] & files[2])
    assert not (files[1] & files[2])


def test_a_screen_glows_from_the_front_and_below_and_changes_slowly():
    cell = direction(*np.meshgrid((np.arange(16) + 0.5) / 16, (np.arange(16) + 0.5) / 16))
    for seed in range(10):
        screen = screen_glow(np.random.default_rng(seed))
        energy = screen(2.0).sum(-1) * solid_angles(16, 16)
        mean = (energy[..., None] * cell).sum((0, 1)) / energy.sum()
        assert mean[2] > 0.6
        assert mean[1] < 0
        steps = [np.abs(screen(t / 30) - screen((t + 1) / 30)).sum() / screen(t / 30).sum() for t in range(300)]
        assert np.median(steps) < 0.03
        assert max(steps) > 0
