"""A living room in the evening, path traced once with Mitsuba: what a webcam sees behind a person, and the light there.

One warm lamp to the person's right and a monitor's dim glow light the person; a small lamp stands behind.
"""

from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from training.light_stage import assets, furniture
from training.light_stage.directions import BASIS, direction
from training.light_stage.furniture import Shapes, box, glow, paint, quad
from training.light_stage.mitsuba_scene import mitsuba

LEFT, RIGHT, BACK, FRONT, FLOOR, CEILING = -2.1, 2.2, -3.3, 1.3, -1.2, 1.4
APERTURE_M, FOCUS_M = 0.0022, 0.65
LAMP, DUSK = [105.0, 72.0, 44.0], [0.25, 0.34, 0.47]
PICTURES = ("rooitou_park", "blouberg_sunrise_2")


def _shell(mi: ModuleType, rng: np.random.Generator) -> Shapes:
    """Floor, ceiling, four walls with a skirting board."""
    wall, other = paint([0.36, 0.37, 0.32]), paint([0.3, 0.29, 0.27])
    middle_x, middle_z = (LEFT + RIGHT) / 2, (BACK + FRONT) / 2
    wide, deep, high = (RIGHT - LEFT) / 2, (FRONT - BACK) / 2, (CEILING - FLOOR) / 2
    y = (CEILING + FLOOR) / 2
    boards = furniture.textured(mi, furniture.wood(rng, [0.2, 0.11, 0.06]))
    return {
        "back": quad(mi, [middle_x, y, BACK], (wide, high), [0, 0, 1], wall),
        "front": quad(mi, [middle_x, y, FRONT], (wide, high), [0, 0, -1], other),
        "left": quad(mi, [LEFT, y, middle_z], (deep, high), [1, 0, 0], other),
        "right": quad(mi, [RIGHT, y, middle_z], (deep, high), [-1, 0, 0], other),
        "floor": quad(mi, [middle_x, FLOOR, middle_z], (wide, deep), [0, 1, 0], boards),
        "ceiling": quad(mi, [middle_x, CEILING, middle_z], (wide, deep), [0, -1, 0], paint([0.45, 0.44, 0.42])),
        "skirting": box(mi, [LEFT, FLOOR, BACK], [RIGHT, FLOOR + 0.1, BACK + 0.015], paint([0.6, 0.58, 0.54])),
    }


def _bookcase(mi: ModuleType, rng: np.random.Generator, left: float, right: float, top: float) -> Shapes:
    """A case of five boards against the back wall, mostly full of books."""
    front, thick = BACK + 0.28, 0.022
    timber = furniture.textured(mi, furniture.wood(rng, [0.2, 0.115, 0.06]))
    out = {"case_back": box(mi, [left, FLOOR, BACK], [right, top, BACK + 0.01], paint([0.1, 0.06, 0.035]))}
    for i, x in enumerate((left - thick, right)):
        out[f"case_side{i}"] = box(mi, [x, FLOOR, BACK], [x + thick, top, front], timber)
    for i, y in enumerate(np.linspace(FLOOR + 0.08, top - thick, 7)):
        out[f"board{i}"] = box(mi, [left, y, BACK], [right, y + thick, front], timber)
        if i < 6:
            end = right - rng.choice([0.0, 0.28, 0.4])
            out |= furniture.books(mi, rng, left + 0.01, end, y + thick, front - 0.03)
            if end < right - 0.2:
                x = end + 0.14
                vase = {"type": "cylinder", "p0": [x, y + thick, front - 0.12], "p1": [x, y + 0.2, front - 0.12]}
                out[f"vase{i}"] = vase | {"radius": 0.05, "bsdf": paint(rng.uniform(0.08, 0.5, 3))}
    return out


def _picture(mi: ModuleType, name: str, x: float, y: float, half: tuple[float, float]) -> Shapes:
    """A framed photograph: a cut of a panorama, with a white mount."""
    image = cv2.imread(str(assets.root() / "hdri" / f"{name}.hdr"), cv2.IMREAD_UNCHANGED)[70:170, 150:310, ::-1][::-1]
    image = np.clip(image / np.percentile(image, 92) * 0.55, 0, 0.75)
    z, (w, h) = BACK + 0.03, half
    return {
        f"{name}_frame": box(mi, [x - w, y - h, BACK], [x + w, y + h, z], paint([0.025, 0.02, 0.018])),
        f"{name}_mount": quad(mi, [x, y, z + 0.001], (w - 0.018, h - 0.018), [0, 0, 1], paint([0.62, 0.6, 0.56])),
        f"{name}_print": quad(mi, [x, y, z + 0.002], (w - 0.07, h - 0.07), [0, 0, 1], furniture.textured(mi, image)),
    }


def _lamps(mi: ModuleType) -> Shapes:
    """The lamp beside the person, the monitor before them, dusk in a window at the right, a small lamp behind."""
    x, y, z = -0.98, -0.34, BACK + 0.26
    brass = paint([0.3, 0.2, 0.08])
    shade = {"type": "cylinder", "p0": [x, y + 0.24, z], "p1": [x, y + 0.46, z], "radius": 0.13}
    shade |= {"bsdf": paint([0.6, 0.5, 0.4]), "emitter": glow([1.1, 0.69, 0.36])}
    monitor = quad(mi, [0, -0.2, 0.06], (0.28, 0.16), [0, 0.1, -1], paint([0.05] * 3))
    window = quad(mi, [RIGHT - 0.01, 0.35, -1.2], (0.6, 0.65), [-1, 0, 0], paint([0.1] * 3))
    return {
        "reading_lamp": {"type": "sphere", "center": [-1.1, 0.45, -0.42], "radius": 0.13, "emitter": glow(LAMP)},
        "monitor": monitor | {"emitter": glow([0.4, 0.45, 0.56])},
        "window": window | {"emitter": glow(DUSK)},
        "shade": shade,
        "lamp_foot": {"type": "cylinder", "p0": [x, y, z], "p1": [x, y + 0.26, z], "radius": 0.014, "bsdf": brass},
        "lamp_plate": box(mi, [x - 0.06, y, z - 0.06], [x + 0.06, y + 0.015, z + 0.06], brass),
    }


def _things(mi: ModuleType, rng: np.random.Generator) -> Shapes:
    """A bookcase, a sideboard with the lamp, pictures, a plant, a curtain."""
    timber = furniture.textured(mi, furniture.wood(rng, [0.26, 0.15, 0.075]))
    out = _bookcase(mi, rng, 0.38, 1.5, 0.95)
    out["sideboard"] = box(mi, [-1.75, FLOOR + 0.12, BACK + 0.02], [-0.45, -0.36, BACK + 0.44], timber)
    for i, x in enumerate((-1.74, -1.31, -0.88)):
        out[f"door{i}"] = box(mi, [x, FLOOR + 0.14, BACK + 0.44], [x + 0.42, -0.39, BACK + 0.455], timber)
    out["top"] = box(mi, [-1.78, -0.36, BACK], [-0.42, -0.34, BACK + 0.47], timber)
    out |= furniture.books(mi, rng, -0.75, -0.5, -0.34, BACK + 0.3)
    out |= _picture(mi, PICTURES[0], -1.3, 0.52, (0.3, 0.23)) | _picture(mi, PICTURES[1], -0.52, 0.46, (0.19, 0.25))
    out |= furniture.plant(mi, rng, np.array([-1.5, -0.34, BACK + 0.24]), 0.42)
    out["curtain"] = furniture.curtain(mi, rng, 1.6, 2.19, FLOOR, 1.3, BACK + 0.12)
    return out


def build(mi: ModuleType) -> dict:
    """The whole room, without sensor."""
    rng = np.random.default_rng(11)
    scene = {"type": "scene", "integrator": {"type": "path", "max_depth": 8}}
    return scene | _shell(mi, rng) | _things(mi, rng) | _lamps(mi)


def _film(width: int, height: int) -> dict:
    return {"type": "hdrfilm", "width": width, "height": height, "pixel_format": "rgb", "rfilter": {"type": "box"}}


def view(mi: ModuleType, scene, focal: float, size: tuple[int, int], samples: int) -> np.ndarray:
    """(H, W, 3) float32 linear: the room through a webcam's lens of `focal` pixels in the middle of `size`."""
    height, width = size
    angle = float(np.degrees(2 * np.arctan(width / 2 / focal)))
    sensor = {
        "type": "thinlens", "fov": angle, "fov_axis": "x", "aperture_radius": APERTURE_M, "focus_distance": FOCUS_M,
        "to_world": mi.ScalarTransform4f().look_at(origin=[0, 0, 0], target=[0, 0, -1], up=[0, 1, 0]),
        "film": _film(width, height),
    }  # fmt: skip
    return np.float32(mi.render(scene, sensor=mi.load_dict(sensor), spp=samples))


def light_code(mi: ModuleType, scene, at: np.ndarray, samples: int, face: int = 48) -> np.ndarray:
    """(16, 16, 3) float32 linear radiance that reaches a point (3,), from six views of a cube around it."""
    fine = 8 * BASIS
    u, v = np.meshgrid((np.arange(fine) + 0.5) / fine, (np.arange(fine) + 0.5) / fine)
    toward = direction(u, v)
    out = np.zeros((fine, fine, 3), np.float32)
    for axis in range(3):
        for sign in (-1.0, 1.0):
            ahead = sign * np.eye(3)[axis]
            up = np.array([0.0, 0, 1]) if axis == 1 else np.array([0.0, 1, 0])
            right = np.cross(ahead, up)
            place = mi.ScalarTransform4f().look_at(origin=at.tolist(), target=(at + ahead).tolist(), up=up.tolist())
            sensor = {"type": "perspective", "fov": 90.0, "to_world": place, "film": _film(face, face)}
            seen = np.float32(mi.render(scene, sensor=mi.load_dict(sensor), spp=samples))
            depth = toward @ ahead
            mine = depth >= np.abs(toward).max(-1) - 1e-9
            x = ((toward @ right)[mine] / depth[mine] + 1) / 2 * face
            y = (1 - (toward @ up)[mine] / depth[mine]) / 2 * face
            out[mine] = seen[np.clip(y.astype(int), 0, face - 1), np.clip(x.astype(int), 0, face - 1)]
    weight = np.sin(np.pi * (np.arange(fine) + 0.5) / fine)[:, None, None]
    blocks = (out * weight).reshape(BASIS, 8, BASIS, 8, 3).sum((1, 3))
    return (blocks / (8 * weight.reshape(BASIS, 8).sum(1)[:, None, None])).astype(np.float32)


def evening(folder: Path, focal: float, size: tuple[int, int], head: np.ndarray, samples: int = 128):
    """(light code at `head` (3,), view (H, W, 3)) of the room, in one scale; kept in `folder` once rendered.

    The view is traced at half size: the lens blurs it by more than that.
    """
    kept = folder / "room.npz"
    if not kept.exists():
        mi = mitsuba()
        scene = mi.load_dict(build(mi))
        half = view(mi, scene, focal / 2, (size[0] // 2, size[1] // 2), samples)
        half = cv2.GaussianBlur(half, (0, 0), 0.7)
        code = light_code(mi, scene, head, samples)
        np.savez(kept, code=code, view=half)
    with np.load(kept) as file:
        code, half = file["code"], file["view"]
    return code, cv2.resize(half, size[::-1], interpolation=cv2.INTER_CUBIC)
