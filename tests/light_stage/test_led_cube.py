"""The LED cube: a far, perfect one is the environment itself; limits do what limits do; motion is followed."""

from dataclasses import replace

import numpy as np
import pytest

from tests.light_stage.test_clip import small_clip
from training.light_stage.clip import Clip
from training.light_stage.directions import direction, solid_angles
from training.light_stage.led_cube import LedCube, _spilled, rebuilt, recording
from training.light_stage.led_sheet import PERFECT
from training.light_stage.lights import average


@pytest.fixture(scope="module")
def clip() -> Clip:
    """A made-up clip, half a metre from a small camera."""
    camera = {"focal_px": np.float32(12), "principal_px": np.float32([4, 4])}
    return Clip(small_clip() | camera | {"depth": np.full(21, 0.5, np.float16)})


def smooth_panorama() -> np.ndarray:
    """(64, 128, 3) bright to the right (+x) and above, in three colours."""
    u, v = np.meshgrid((np.arange(128) + 0.5) / 128, (np.arange(64) + 0.5) / 64)
    return (1.2 + direction(u, v) * [0.9, 0.5, 0.3]).astype(np.float32)


def test_a_far_perfect_cube_is_the_environment(clip):
    panorama = smooth_panorama()
    true = clip.relight(average(panorama, 16, 16))[0]
    assert PERFECT.relight(clip, 0, PERFECT.drive(panorama)) == pytest.approx(true, rel=0.02, abs=2e-3)


def test_a_near_panel_is_seen_larger_from_closer():
    cube = replace(PERFECT, half_m=1.0)
    drive = np.zeros((6, 96, 96, 3), np.float32)
    drive[0, 40:56, 40:56] = 1.0  # a lamp in the middle of the +x panel
    middle, close = (
        (cube.code_at(drive, np.array([x, 0.0, 0.0])) * solid_angles(16, 16)[..., None]).sum() for x in (0.0, 0.5)
    )
    assert close / middle == pytest.approx(4, rel=0.15)


def test_light_beyond_the_peak_spills_and_is_kept():
    face = np.full((48, 48, 3), 0.5, np.float32)
    face[20, 20] = 400.0
    shown = _spilled(face, 10.0)
    assert shown.max() <= 10.0 + 1e-4
    assert shown.sum() == pytest.approx(face.sum(), rel=0.01)


def test_panels_have_steps_a_hole_and_no_light_above_their_peak():
    cube = LedCube(peak=5.0, bits=4, spread=0.0)
    drive = cube.drive(smooth_panorama() * 4)
    assert drive.max() <= 5.0
    assert np.allclose(np.mod(drive / 5.0 * 15 + 1e-3, 1), 1e-3, atol=2e-3)
    assert (drive[4, 23:25, 23:25] == 0).all()
    assert drive[5].min() > 0


def test_recording_cycles_through_its_patterns(clip):
    pictures, pattern = recording(clip, PERFECT, [smooth_panorama()])
    assert pattern.tolist() == [-1, 0]
    even = clip.relight(np.ones((16, 16, 3), np.float32))[0]
    assert pictures[0] == pytest.approx(even, rel=0.02, abs=2e-3)


def test_rebuilt_follows_even_motion():
    y, x = np.mgrid[0:64, 0:64]
    slots = [np.exp(-(((x - 24 - 3 * t) / 9) ** 2 + ((y - 32) / 9) ** 2)) for t in range(4)]
    pictures = np.stack([np.repeat(s[..., None], 3, -1) for s in slots]).astype(np.float32)
    moved = rebuilt(pictures, np.array([-1, 0, 1, -1]), 2)[0]
    for k, picture in enumerate(moved):
        still = np.abs(pictures[1 + k] - pictures[0]).mean()
        assert np.abs(picture - pictures[0]).mean() < 0.4 * still
