"""Shadow edges lie where they are and not where vertices do; cards stop light in proportion to their opacity."""

import numpy as np
import pytest

pytest.importorskip("embreex")

from tests.light_stage.test_transport import card
from training.light_stage import shade
from training.light_stage.bounce import MOST_CARDS, Sides, _first_met
from training.light_stage.camera import Camera
from training.light_stage.directions import LIGHTS, form_vectors, shadow_directions
from training.light_stage.gbuffer import SPOTS, facing, trace
from training.light_stage.materials import CLOTHES, HAIR, Material
from training.light_stage.occlusion import record_visibility, shares, turns
from training.light_stage.part import Part
from training.light_stage.placement import OnBody
from training.light_stage.scene import Scene, Topology
from training.light_stage.transport import vertex_light

CAMERA = Camera(np.zeros(3), np.eye(3), 32.0, np.array([16.0, 16.0]), (32, 32))


def sheets(*corners: tuple[np.ndarray, float]) -> Scene:
    """A scene of square sheets, each (corners (4, 3), opacity); those not opaque are cards of hair."""
    parts = []
    for _, opacity in corners:
        paint = np.concatenate([np.full((4, 4, 3), 0.5), np.full((4, 4, 1), opacity)], axis=-1).astype(np.float32)
        material = Material(paint, CLOTHES if opacity == 1 else HAIR)
        faces, uv = np.int32([[0, 1, 2], [0, 2, 3]]), np.full((2, 3, 2), 0.5, np.float32)
        parts.append(Part("sheet", faces, uv, material, OnBody(slice(0, 4)), layered=opacity < 1))
    return Scene(Topology(parts, [4] * len(parts)), np.concatenate([np.float32(c) for c, _ in corners]))


def square(half_m: float, z: float, x: float = 0.0) -> np.ndarray:
    """(4, 3) a sheet that faces the camera."""
    return np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * half_m + np.float32([x, 0, z])


def test_a_wall_s_shadow_ends_at_the_wall_not_at_the_next_vertex():
    wall = np.float32([[0, -0.4, -1], [0, 0.4, -1], [0, 0.4, -0.4], [0, -0.4, -0.4]])
    scene = sheets((square(0.4, -1.0), 1.0), (wall, 1.0))
    records = trace(scene, CAMERA)
    light = vertex_light(scene, np.unique(records.triangle), np.random.default_rng(0))
    seen = record_visibility(scene, records, light.row, light.visibility, 32)
    unit = form_vectors() / np.linalg.norm(form_vectors(), axis=1, keepdims=True)
    low = np.argmax(unit @ np.float32([0.8, 0.1, 0.6]))
    floor = records.part == 0
    left, right = (floor & (np.abs(records.point[:, 0] - x) < 0.06) for x in (-0.1, 0.1))
    assert left.sum() > 20 < right.sum()
    assert seen[left, low].mean() < 0.1
    assert seen[right, low].mean() > 0.9
    blurred = np.einsum("nk,nkl->nl", records.bary, light.visibility[light.row[records.triangle]])
    assert blurred[left, low].mean() > 0.2


def test_a_free_surface_sees_every_light_above_it():
    scene, _, records = card()
    light = vertex_light(scene, np.unique(records.triangle), np.random.default_rng(0))
    seen = record_visibility(scene, records, light.row, light.visibility, 16)
    above = form_vectors()[:, 2] > 0
    assert seen[:, above] == pytest.approx(1, abs=1e-6)


def test_directions_are_dealt_so_that_every_set_weighs_one_a_cell():
    _, index, _ = shadow_directions()
    for most in (1, 2, 4):
        place, sets, weight = shares(most)
        for chosen in range(most):
            mine = chosen % sets == place
            assert np.bincount(index[mine], weight[mine], LIGHTS) == pytest.approx(1)


def test_four_pixels_trace_every_direction_once_between_them():
    _, index, _ = shadow_directions()
    place, sets, weight = turns()
    assert (sets == 4).all()
    assert (weight == 1).all()
    for cell in range(LIGHTS):
        mine = place[index == cell]
        assert sorted(set(mine)) == sorted(mine)  # no pixel has two of a cell's directions
        assert len(mine) in (1, 2, 4)


def test_a_record_remembers_samples_on_its_own_surface():
    scene = sheets((square(0.4, -1.0), 1.0), (square(0.2, -0.9), 0.5))
    records = trace(scene, CAMERA)
    assert records.spots.shape == (len(records.pixel), SPOTS, 3)
    hair = records.part == 1
    assert records.spots[hair][..., 2] == pytest.approx(-0.9, abs=1e-4)
    assert records.spots[~hair][..., 2] == pytest.approx(-1.0, abs=1e-4)
    assert np.ptp(records.spots[..., 0], axis=1).max() > 5e-3


def test_a_bounced_ray_stops_at_a_card_as_often_as_it_is_opaque():
    scene = sheets((square(0.4, -1.0), 1.0), (square(0.4, -0.9), 0.3))
    rng, count = np.random.default_rng(0), 4000
    origin, along = np.zeros((count, 3), np.float32), np.tile(np.float32([0, 0, -1]), (count, 1))
    origin[:, :2] = rng.uniform(-0.2, 0.2, (count, 2))
    met = _first_met(scene, origin, along, rng.random((count, MOST_CARDS)))
    part = scene.topology.vertex_part[met]
    assert met.min() >= 0
    assert part.mean() == pytest.approx(0.3, abs=0.03)


def test_cards_have_two_sides_and_solids_one():
    scene = sheets((square(0.4, -1.0), 1.0), (square(0.4, -0.9), 0.3))
    vertices = np.arange(8)
    sides = Sides.of(scene, vertices, np.arange(8))
    assert len(sides.vertex) == 12
    assert (sides.sign[8:] == -1).all()
    assert (sides.back[:4] == -1).all()
    assert (sides.vertex[sides.back[4:]] == vertices[4:]).all()


def test_a_pixel_mirrors_where_its_shiniest_record_does():
    scene = sheets((square(0.4, -1.0), 1.0), (square(0.2, -0.9), 0.5))
    records = trace(scene, CAMERA)
    pixels, first = np.unique(records.pixel, return_index=True)
    hair = records.part == 1
    records.f0 = np.where(hair, np.float32(0.9), np.float32(1e-4))
    records.roughness = np.where(hair, np.float32(0.2), np.float32(0.7))
    seen = np.ones((len(records.pixel), LIGHTS), np.float32)
    _, _, roughness = shade.mirrors(records, seen, first)
    both = np.bincount(records.pixel[hair], minlength=pixels.max() + 1)[pixels] > 0
    assert roughness[both] == pytest.approx(0.2, abs=0.01)
    assert roughness[~both].min() > 0.5
    dark = shade.mirrors(records, 0 * seen, first)
    assert dark[0].max() < 1e-6
    assert np.isfinite(dark[1]).all()


def test_a_card_s_shadow_has_the_texture_s_holes():
    scene = sheets((square(0.4, -1.0), 1.0), (square(0.2, -0.9), 0.5))
    part = scene.topology.parts[1]
    part.material.texture[:, :2, 3], part.material.texture[:, 2:, 3] = 0.0, 1.0
    corner = np.float32([[0, 0], [1, 0], [1, 1], [0, 1]])
    part.face_uv[:] = corner[part.faces]
    holed = Scene(Topology(scene.topology.parts, [4, 4]), scene.vertices)
    origin = np.float32([[-0.1, 0, -0.99], [0.1, 0, -0.99], [0.3, 0, -0.99]])
    through = holed.transmittance(origin, np.tile(np.float32([0, 0, 1]), (3, 1)))
    assert sorted(through[:2].round(2)) == [0, 1]
    assert through[2] == 1


def test_light_of_a_surface_that_no_pixel_sees_bounces_too():
    scene = sheets((square(0.4, -1.0), 1.0), (square(0.4, -0.6)[::-1], 1.0))
    seen_by_camera = np.arange(4)
    both = vertex_light(scene, np.arange(8), np.random.default_rng(0)).bounced[:4]
    alone = vertex_light(scene, seen_by_camera, np.random.default_rng(0)).bounced
    assert both.sum() > 0.1
    assert alone.sum() == pytest.approx(both.sum(), rel=0.5)


def test_a_solid_s_normal_turns_over_with_its_triangle_and_a_card_s_with_the_viewer():
    ray, leaning = np.float32([[0, 0, -1]]), np.float32([[1, 0, -0.1]])
    steep = np.float32([[0.02, -0.4, -1.4], [0.02, 0.4, -1.4], [-0.02, 0.4, -0.6], [-0.02, -0.4, -0.6]])
    for opacity, turned in ((1.0, 1), (0.5, -1)):
        scene = sheets((steep, opacity), (square(0.4, -2.0), 1.0))
        face = np.flatnonzero(scene.topology.face_part == 0)[:1]
        corner = scene.vertices[scene.topology.faces[face[0]]]
        assert np.cross(corner[1] - corner[0], corner[2] - corner[0])[2] > 0  # the triangle faces the viewer
        assert facing(scene, face, leaning, ray) == turned
        assert facing(scene, face, np.float32([[1, 0, 0.1]]), ray) == 1


def test_a_sun_comes_through_a_card_in_both_renderers():
    pytest.importorskip("mitsuba")
    from training.light_stage import mitsuba_scene

    mi = mitsuba_scene.mitsuba("scalar_rgb")
    toward, dark = np.float32([0.6, 0, 0.8]), np.zeros((16, 16, 3), np.float32)
    away = np.float32([0.48, 0, 0.64])
    shares_of_light = []
    for render in ("ours", "mitsuba"):
        light = []
        for opacity in (0.4, 0.999):
            scene = sheets((square(0.4, -1.0), 1.0), (square(0.15, -1.0) + away, opacity))
            if render == "mitsuba":
                suns = [(toward, np.ones(3))]
                picture, _ = mitsuba_scene.render(mi, scene, CAMERA, dark, suns, 64)
                light.append(picture[14:18, 14:18].mean())
            else:
                records = trace(scene, CAMERA)
                at = np.flatnonzero((records.pixel == 16 * 32 + 16) & (records.part == 0))
                known = vertex_light(scene, np.unique(records.triangle), np.random.default_rng(0))
                rng = np.random.default_rng(0)
                light.append(shade.hard_light(scene, records, known, toward, 0.1, rng)[at].mean())
        shares_of_light.append(light)
    (ours_half, ours_none), (theirs_half, theirs_none) = shares_of_light
    assert max(ours_none, theirs_none) < 0.01
    assert ours_half == pytest.approx(theirs_half, rel=0.08)
