"""Units of the light transport: DESIGN.md's exposure rule, on a grey card, through the real ray tracer."""

import numpy as np
import pytest

from training.light_stage import shade
from training.light_stage.camera import Camera
from training.light_stage.directions import direction, form_vectors, latlong, solid_angles
from training.light_stage.gbuffer import trace
from training.light_stage.lights import exposed, point_code
from training.light_stage.materials import CLOTHES, Material
from training.light_stage.occlusion import record_visibility
from training.light_stage.part import Part
from training.light_stage.placement import OnBody
from training.light_stage.scene import Scene, Topology
from training.light_stage.transport import pixel_transport, vertex_light


def card(albedo: float = 0.18, half_m: float = 0.3, distance_m: float = 1.0):
    """A matt square card that faces a small camera: (scene, camera, records)."""
    corner = np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * half_m - [0, 0, distance_m]
    faces = np.int32([[0, 1, 2], [0, 2, 3]])
    uv = np.full((2, 3, 2), 0.5, np.float32)
    paint = np.concatenate([np.full((4, 4, 3), albedo), np.ones((4, 4, 1))], axis=-1).astype(np.float32)
    topology = Topology([Part("card", faces, uv, Material(paint, CLOTHES), OnBody(slice(0, 4)))], [4])
    camera = Camera(np.zeros(3), np.eye(3), 16.0, np.array([8.0, 8.0]), (16, 16))
    scene = Scene(topology, corner)
    return scene, camera, trace(scene, camera)


def transport_of_card():
    """(transport (p, 3, 256), alpha (p,), scene, records, vertex light)."""
    scene, _, records = card()
    light = vertex_light(scene, np.unique(records.triangle), np.random.default_rng(0))
    seen = record_visibility(scene, records, light.row, light.visibility, 16)
    _, transport = pixel_transport(records, light, scene, seen)
    return transport, records.weight, scene, records, light


def test_grey_card_under_exposed_environment_is_018():
    transport, alpha, *_ = transport_of_card()
    rng = np.random.default_rng(1)
    code = exposed(rng.uniform(0, 1, (16, 16, 3)).astype(np.float32) ** 8)
    radiance = np.einsum("pcb,bc->pc", transport, code.reshape(-1, 3)) / alpha[:, None]
    luminance = radiance @ np.float32([0.2126, 0.7152, 0.0722])
    assert luminance[alpha > 0.99] == pytest.approx(0.18, rel=2e-3)


def test_hard_light_agrees_with_the_basis():
    """A lamp of irradiance pi from the front lights the card to 0.18 too (its highlight aside)."""
    _, alpha, scene, records, light = transport_of_card()
    records.f0[:] = 0.0
    lamp = shade.hard_light(scene, records, light, np.float32([0, 0, 1]), 0.3, np.random.default_rng(0))
    middle = alpha > 0.99
    ceiling = shade.ggx  # with f0 = 0 only Schlick's grazing term is left, nothing at normal incidence
    assert ceiling is not None
    assert lamp[middle] * np.pi == pytest.approx(0.18, rel=0.02)


def test_light_from_behind_does_not_reach_the_card():
    transport, *_ = transport_of_card()
    behind = direction(*np.meshgrid((np.arange(16) + 0.5) / 16, (np.arange(16) + 0.5) / 16)).reshape(-1, 3)[:, 2] < 0
    assert transport[:, :, behind].max() < 1e-6


def test_centre_column_is_behind_the_person_and_right_is_right():
    assert direction(np.float64(0.5), np.float64(0.5)) == pytest.approx([0, 0, -1], abs=1e-9)
    assert direction(np.float64(0.75), np.float64(0.5)) == pytest.approx([1, 0, 0], abs=1e-9)
    assert direction(np.float64(0.3), np.float64(0.0)) == pytest.approx([0, 1, 0], abs=1e-9)


def test_latlong_inverts_direction():
    u, v = np.meshgrid(np.linspace(0.01, 0.99, 9), np.linspace(0.05, 0.95, 7))
    u2, v2 = latlong(direction(u, v))
    assert u2 == pytest.approx(u, abs=1e-9)
    assert v2 == pytest.approx(v, abs=1e-9)


def test_form_vectors_integrate_the_cosine():
    assert solid_angles(16, 16).sum() == pytest.approx(4 * np.pi)
    assert np.maximum(form_vectors()[:, 2], 0).sum() == pytest.approx(np.pi, rel=1e-3)


def test_point_code_keeps_its_irradiance():
    toward = np.float64([0.2, 0.3, 0.9])
    toward /= np.linalg.norm(toward)
    energy = (point_code(toward)[..., 0] * solid_angles(16, 16)).sum()
    assert energy == pytest.approx(1.0, rel=1e-5)
