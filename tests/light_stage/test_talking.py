"""The demo clip's makers: frames between two, light at a point of a room, the speaker's mouth."""

import numpy as np
import pytest

pytest.importorskip("embreex")

from training.light_stage import assets
from training.light_stage.directions import latlong
from training.light_stage.talking import between


def test_a_picture_between_two_lies_half_way():
    y, x = np.mgrid[0:96, 0:128]

    def blob(column: float) -> np.ndarray:
        bright = 0.1 + 0.6 * np.exp(-((x - column) ** 2 + (y - 50) ** 2) / 180)
        return np.repeat(bright[..., None], 3, axis=2).astype(np.float32)

    middle = between(blob(50), blob(58), 0.5)
    assert np.abs(middle - blob(54)).max() < 0.03
    assert np.abs(0.5 * (blob(50) + blob(58)) - blob(54)).max() > 0.03  # a mere mixture would not do


@pytest.mark.parametrize("lamp", [(1.2, 0.4, -0.6), (-0.3, -0.8, 0.5), (0.2, 0.1, -2.5)])
def test_a_lamp_lights_a_point_from_where_it_stands(lamp):
    pytest.importorskip("mitsuba")
    from training.light_stage import mitsuba_scene, room

    mi = mitsuba_scene.mitsuba("scalar_rgb")
    ball = {"type": "sphere", "center": list(lamp), "radius": 0.05, "emitter": {"type": "area", "radiance": 100.0}}
    scene = mi.load_dict({"type": "scene", "integrator": {"type": "path", "max_depth": 2}, "lamp": ball})
    at = np.array([0.0, 0.0, -0.62])
    code = room.light_code(mi, scene, at, 4)
    u, v = latlong(np.array(lamp) - at)
    row, column = np.unravel_index(code.sum(-1).argmax(), (16, 16))
    assert abs(row + 0.5 - 16 * v) <= 1
    assert min(abs(column + 0.5 - 16 * u), 16 - abs(column + 0.5 - 16 * u)) <= 1


@pytest.mark.skipif(not assets.available(), reason="LIVELIGHT_ASSETS does not hold the assets")
def test_the_speaker_shows_upper_teeth_alone_and_inside_the_mouth():
    pytest.importorskip("anny")
    from training.light_stage.host import host

    person = host()
    vertices = dict(zip((p.name for p in person.parts), person.vertices(person.state(0.0)), strict=True))
    part = next(p for p in person.parts if p.name.startswith("teeth"))
    teeth, tongue = vertices[part.name][np.unique(part.faces)], vertices["tongue"]
    assert teeth[:, 1].mean() > tongue[:, 1].mean()
    assert np.ptp(teeth[:, 1]) < 0.025  # both rows and their gums are 44 mm high
    face = vertices["skin"]
    near = np.abs(face - teeth.mean(0)).max(1) < 0.06
    assert teeth[:, 2].max() < face[near, 2].max() - 0.002
