"""The coat's lobe by moments against brute-force integration of the GGX coat over a fine sphere."""

import numpy as np
import pytest

from training.light_stage.clip import sample_atlas
from training.light_stage.coat import coat, coat_lobe, ggx, length_of, power_of, roughness_of, shadowed
from training.light_stage.directions import direction, form_vectors, solid_angles
from training.light_stage.gloss import ATLAS_ROUGHNESS, atlas, atlas_coordinates

FINE = 256
NORMAL = np.float32([0, 0, 1])


def sphere() -> tuple[np.ndarray, np.ndarray]:
    """Directions (FINE * FINE, 3) and their solid angles."""
    middle = (np.arange(FINE) + 0.5) / FINE
    return direction(*np.meshgrid(middle, middle)).reshape(-1, 3), solid_angles(FINE, FINE).reshape(-1)


def viewer(cosine: float) -> np.ndarray:
    """(3,) a viewer at that cosine of the normal, not along an axis."""
    sine = np.sqrt(1 - cosine**2)
    return np.float32([0.6 * sine, 0.8 * sine, cosine])


def brute(cosine: float, f0: float, roughness: float) -> np.ndarray:
    """(amount, mean direction of mirrored light) by summing ggx over a fine sphere."""
    light, angle = sphere()
    n = len(light)
    weight = angle * ggx(np.tile(NORMAL, (n, 1)), np.tile(viewer(cosine), (n, 1)), light.copy(), np.full(n, f0),
                         np.full(n, roughness))  # fmt: skip
    return np.concatenate([[weight.sum()], (weight @ light) / weight.sum()])


@pytest.mark.parametrize("roughness", [0.4, 0.7, 0.9])
@pytest.mark.parametrize("cosine", [0.95, 0.5, 0.15])
def test_moments_are_those_of_the_integral(cosine, roughness):
    true = brute(cosine, 0.04, roughness)
    amount, mean = coat_lobe(NORMAL[None], viewer(cosine)[None], np.float32([0.04]), np.float32([roughness]))
    assert amount[0] == pytest.approx(true[0], rel=0.03)
    assert mean[0] == pytest.approx(true[1:], abs=0.015)
    assert amount == pytest.approx(coat(np.float32([cosine]), np.float32([0.04]), np.float32([roughness])))


def test_at_grazing_angles_rough_cloth_does_not_mirror_about_the_mirror_direction():
    _, mean = coat_lobe(NORMAL[None], viewer(0.1)[None], np.float32([0.04]), np.float32([0.8]))
    assert mean[0, 2] > 0.3  # the mirror direction has 0.1
    assert 0.5 < np.linalg.norm(mean[0]) < 0.9


def test_roughness_and_length_of_a_lobe_are_inverse():
    roughness = np.linspace(0.13, 1, 20)
    assert roughness_of(length_of(power_of(roughness))) == pytest.approx(roughness, rel=1e-3)


@pytest.mark.parametrize("roughness", ATLAS_ROUGHNESS[1:])
def test_the_atlas_blurs_by_the_lobe_that_a_roughness_stands_for(roughness):
    light = np.float32([0.48, 0.36, 0.8])
    unit = form_vectors() / np.linalg.norm(form_vectors(), axis=1, keepdims=True)
    code = np.repeat(1 + (unit @ light)[:, None], 3, axis=1).reshape(16, 16, 3)
    toward = np.float32([[0.6, 0, 0.8]])
    where, mix = atlas_coordinates(toward, np.float32([roughness]))
    blurred = atlas(code)
    pair = [sample_atlas(blurred, where[:, 0], where[:, 1 + k])[0, 0] for k in (0, 1)]
    expected = 1 + length_of(power_of(roughness)) * float(toward[0] @ light)
    assert pair[0] + mix[0] * (pair[1] - pair[0]) == pytest.approx(expected, abs=0.03)


def test_a_lobe_is_shadowed_by_what_it_looks_into():
    mean = np.float32([[0.3, 0, 0.7]])
    unit = form_vectors() / np.linalg.norm(form_vectors(), axis=1, keepdims=True)
    free = np.ones((1, 256), np.float32)
    share, same = shadowed(mean, NORMAL[None], free)
    assert share[0] == pytest.approx(1, abs=1e-4)
    assert same[0] == pytest.approx(mean[0], abs=1e-4)
    wall = (unit[:, 0] < 0).astype(np.float32)[None]  # all that lies to the right is hidden
    half, left = shadowed(mean, NORMAL[None], wall)
    assert 0.05 < half[0] < 0.5
    assert left[0, 0] < 0
    assert shadowed(mean, NORMAL[None], 0 * free)[0][0] < 1e-6
