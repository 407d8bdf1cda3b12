"""Eyes find the camera, whatever the head does; heads look up and down, and that is recorded as the camera sees it."""

import numpy as np
import pytest

from training.light_stage import assets
from training.light_stage.motion import FARTHEST_RAD, SIDE_RAD, UP_RAD, Performance, _eye_units


def calm(seed: int = 0) -> Performance:
    """Somebody who looks into the camera."""
    out = Performance(np.random.default_rng(seed))
    out.meets, out.gaze, out.gestures = True, np.zeros(2), []
    return out


def test_eyes_stay_on_the_camera_while_the_head_turns_and_nods():
    person = calm()
    person.camera = np.array([0.1, -0.05])
    for pitch, yaw in ((0.0, 0.0), (0.2, -0.3), (-0.15, 0.25)):
        person.facing, person.torso = np.array([pitch, yaw, 0.0]), np.zeros(3)
        for t in (0.0, 1.3):
            head = person._head(t).sum(0)
            seen = person.look(t) + np.array([head[1], -head[0]])
            assert seen == pytest.approx(person.camera, abs=0.04)  # eyes drift a little


def test_eyes_turn_no_further_than_they_can_and_own_ways_follow_the_head():
    person = calm()
    person.facing = np.array([0.0, 1.0, 0.0])
    assert (np.abs(person.look(0.0)) <= FARTHEST_RAD).all()
    person.meets = False
    assert np.abs(person.look(0.0)).max() < 0.04


def test_units_and_bones_together_make_the_whole_turn():
    person = calm()
    person.facing, person.torso = np.array([0.3, -0.4, 0.0]), np.zeros(3)
    x, y = person.look(0.0)
    unit, ball = person.expression(0.0), person.rotation(0.0)["eye.L"]
    assert unit["eyeLookOutLeft"] == 1 == unit["eyeLookUpRight"]
    assert SIDE_RAD + ball[1] == pytest.approx(x)
    assert UP_RAD - ball[0] == pytest.approx(y)
    assert _eye_units(-SIDE_RAD, 0.0)["eyeLookInLeft"] == pytest.approx(1)


def test_a_head_s_pose_is_told_as_the_camera_sees_it():
    person = calm()
    person.facing, person.torso = np.array([0.2, 0.3, 0.0]), np.zeros(3)
    plain = person.facing_seen(np.eye(3))
    turned = np.array([[np.cos(0.1), 0, np.sin(0.1)], [0, 1, 0], [-np.sin(0.1), 0, np.cos(0.1)]])
    assert plain == pytest.approx([0.2, 0.3], abs=0.2)
    assert person.facing_seen(turned) - plain == pytest.approx([0, 0.1], abs=0.02)


def test_many_heads_look_up_and_down_and_most_eyes_meet_the_camera():
    people = [Performance(np.random.default_rng(seed)) for seed in range(300)]
    pitch = np.degrees([p.facing[0] for p in people])
    low, high = np.percentile(pitch, [5, 95])
    assert low < -11
    assert high > 15
    assert np.mean([p.meets for p in people]) > 0.6


@pytest.mark.skipif(not assets.available(), reason="LIVELIGHT_ASSETS does not hold the assets")
def test_only_eyeballs_hang_on_the_eyes_bones():
    pytest.importorskip("anny")
    from training.light_stage.body import EYES, body

    rest, turned = (body().state({"gender": 0.5}, {}, {}, pose).posed() for pose in ({}, {"eye.L": [0, 0.3, 0]}))
    moved = np.linalg.norm(turned - rest, axis=1) > 1e-4
    assert moved[EYES].sum() > 50
    moved[EYES] = False
    assert not moved.any()
