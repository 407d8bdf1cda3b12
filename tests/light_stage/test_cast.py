"""Hands come up where they are wanted; several people share one frame."""

from itertools import pairwise

import numpy as np
import pytest

from training.light_stage import assets
from training.light_stage.gesture import ARM, GESTURES, MIRROR, Gesture, arm, reach

needs_assets = pytest.mark.skipif(not assets.available(), reason="LIVELIGHT_ASSETS does not hold the assets")


@pytest.mark.parametrize("name", sorted(GESTURES))
def test_the_hand_comes_near_its_place_and_looks_the_right_way(name):
    place, _, pointing, palm, _, _ = (np.array(x) for x in GESTURES[name])
    elbow, wrist, fingers, face = arm(reach(place, pointing, palm))
    assert np.linalg.norm(wrist - place) < 0.15
    assert fingers @ pointing / np.linalg.norm(pointing) > 0.6
    assert face @ palm / np.linalg.norm(palm) > 0.6
    assert elbow[1] < 0.42


def test_a_gesture_moves_smoothly():
    gesture = Gesture(np.random.default_rng(0), "explain", "R")
    turns = [gesture.rotation(t)["lowerarm01.R"] for t in (0.0, 1 / 30, 2 / 30)]
    steps = [np.linalg.norm(b - a) for a, b in pairwise(turns)]
    assert 0 < max(steps) < 0.15


@needs_assets
def test_the_arm_s_kinematics_are_the_body_s():
    pytest.importorskip("anny")
    from training.light_stage.body import body

    turns = reach(np.array([0.3, 0.6, 0.3]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0]))
    pairs = list(zip(ARM, turns, strict=True))
    pose = {f"{bone}.L": turn for bone, turn in pairs} | {f"{bone}.R": turn * MIRROR for bone, turn in pairs}
    rest, posed = (body().state({"gender": 0.5}, {}, {}, p).posed()[:13380] for p in ({}, pose))
    for side in (1, -1):
        hand = np.flatnonzero(np.linalg.norm(rest - [side * 0.45, 0.121, 0.174], axis=1) < 0.05)
        wrist = arm(turns)[1] * [side, 1, 1]
        assert np.linalg.norm(posed[hand].mean(0) - wrist) < 0.06


@needs_assets
def test_two_people_stand_in_one_frame():
    pytest.importorskip("anny")
    pytest.importorskip("embreex")
    from training.light_stage.cast import Place, sample_cast
    from training.light_stage.splits import skins_of
    from training.light_stage.stage import Take

    rng = np.random.default_rng(1)
    cast = sample_cast(rng, skins_of("train"), 256, (0.0, 1.0))
    cast.places[1] = Place(np.array([0.5, 0.0, -0.2]), -0.2)
    take = Take(np.random.default_rng(2), cast, 1, (48, 48))
    assert cast.about()["people"] == 2
    first = len(cast.lead.parts)
    part, pixel = take.records[0].part, take.records[0].pixel
    assert (part < first).sum() > 50
    assert (part >= first).sum() > 20
    assert pixel[part < first].mean() != pixel[part >= first].mean()
    right = (pixel[part >= first] % 48).mean() - (pixel[part < first] % 48).mean()
    assert right > 5  # +x is image right
    share = np.bincount(pixel, take.records[0].weight)
    assert share.max() < 1.01
