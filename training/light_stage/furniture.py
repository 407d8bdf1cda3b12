"""Things of a living room as Mitsuba shapes, in metres, in the camera's frame (x right, y up, looking along -z)."""

from types import ModuleType

import numpy as np

Shapes = dict[str, dict]

SPINES = np.float32([
    [0.03, 0.05, 0.12], [0.28, 0.07, 0.05], [0.55, 0.48, 0.36], [0.11, 0.13, 0.05], [0.02, 0.02, 0.02],
    [0.05, 0.16, 0.17], [0.42, 0.27, 0.07], [0.6, 0.58, 0.55], [0.13, 0.07, 0.04], [0.3, 0.32, 0.34],
    [0.18, 0.05, 0.1], [0.09, 0.11, 0.16],
])  # fmt: skip


def paint(rgb: np.ndarray | list[float]) -> dict:
    """A matt surface of linear albedo (3,), seen from both sides."""
    flat = {"type": "diffuse", "reflectance": {"type": "rgb", "value": [float(c) for c in rgb]}}
    return {"type": "twosided", "bsdf": flat}


def textured(mi: ModuleType, image: np.ndarray) -> dict:
    """A matt surface with linear albedo (h, w, 3)."""
    bitmap = {"type": "bitmap", "bitmap": mi.Bitmap(np.ascontiguousarray(image, np.float32)), "raw": True}
    return {"type": "twosided", "bsdf": {"type": "diffuse", "reflectance": bitmap}}


def wood(rng: np.random.Generator, rgb: list[float], size: tuple[int, int] = (256, 256)) -> np.ndarray:
    """(h, w, 3) linear albedo with grain along the width."""
    import cv2

    noise = rng.standard_normal(size).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), sigmaX=size[1] / 6, sigmaY=0.8)
    broad = cv2.GaussianBlur(noise, (0, 0), sigmaX=size[1] / 3, sigmaY=size[0] / 40)
    shade = 0.16 * grain / grain.std() + 0.14 * broad / broad.std()
    return np.clip(np.float32(rgb) * np.exp(shade)[..., None], 0.005, 0.8)


def box(mi: ModuleType, low: list[float], high: list[float], bsdf: dict, lean: float = 0.0) -> dict:
    """A box from corner to corner, leaning by some radians about its foot, to the left."""
    low, high = np.float64(low), np.float64(high)
    half = (high - low) / 2
    turn = mi.ScalarTransform4f().rotate([0, 0, 1], float(np.degrees(lean)))
    foot = mi.ScalarTransform4f().translate([float(low[0] + half[0]), float(low[1]), float(low[2] + half[2])])
    up = mi.ScalarTransform4f().translate([0, float(half[1]), 0])
    return {"type": "cube", "to_world": foot @ turn @ up @ mi.ScalarTransform4f().scale(half.tolist()), "bsdf": bsdf}


def quad(mi: ModuleType, centre: list[float], half: tuple[float, float], facing: list[float], bsdf: dict) -> dict:
    """A rectangle of half width and half height that faces a direction (up stays up)."""
    target = (np.float64(centre) + np.float64(facing)).tolist()
    up = [0, 1, 0] if abs(facing[1]) < 0.9 else [0, 0, -1]
    place = mi.ScalarTransform4f().look_at(origin=centre, target=target, up=up)
    return {"type": "rectangle", "to_world": place @ mi.ScalarTransform4f().scale([*half, 1.0]), "bsdf": bsdf}


def glow(rgb: list[float]) -> dict:
    """An area light's radiance."""
    return {"type": "area", "radiance": {"type": "rgb", "value": rgb}}


def sheet(mi: ModuleType, name: str, points: np.ndarray, bsdf: dict):
    """A grid of points (rows, columns, 3) as a mesh."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return mesh(mi, name, points.reshape(-1, 3), faces, bsdf)


def mesh(mi: ModuleType, name: str, points: np.ndarray, faces: np.ndarray, bsdf: dict):
    """Triangles (f, 3) over points (n, 3), flat shaded."""
    properties = mi.Properties()
    properties["mesh_bsdf"] = mi.load_dict(bsdf)
    out = mi.Mesh(name, len(points), len(faces), props=properties)
    values = mi.traverse(out)
    values["vertex_positions"] = np.ravel(points).astype(np.float32)
    values["faces"] = np.ravel(faces).astype(np.uint32)
    values.update()
    return out


def books(mi: ModuleType, rng: np.random.Generator, left: float, right: float, y: float, front: float) -> Shapes:
    """A row of books between two ends, on a board at height y, their backs at depth `front`; some gaps, some lean."""
    out: Shapes = {}
    x = left
    while x < right - 0.05:
        wide, tall = rng.uniform(0.018, 0.046), rng.uniform(0.17, 0.255)
        if rng.random() < 0.06:
            x += rng.uniform(0.05, 0.16)
            continue
        colour = SPINES[rng.integers(len(SPINES))] * np.exp(rng.normal(0, 0.2))
        back, lean = front - rng.uniform(0, 0.035), 0.14 if rng.random() < 0.05 else 0.0
        key = f"book_{y:.2f}_{x:.3f}".replace(".", "_").replace("-", "m")
        out[key] = box(mi, [x, y, back - 0.16], [x + wide, y + tall, back], paint(colour), lean)
        if lean == 0.0 and wide > 0.024:
            title = paint(np.clip(colour * 0.3 + rng.uniform(0.1, 0.6), 0, 0.8))
            centre = [x + wide / 2, y + tall * rng.uniform(0.55, 0.8), back + 0.001]
            out[key + "_title"] = quad(mi, centre, (wide * 0.28, tall * rng.uniform(0.04, 0.16)), [0, 0, 1], title)
        x += wide + 0.001 + (0.035 if lean else 0.0)
    return out


def plant(mi: ModuleType, rng: np.random.Generator, foot: np.ndarray, tall: float, leaves: int = 60) -> Shapes:
    """A pot with a bush of long bent leaves; foot (3,) is the middle of the pot's base."""
    points, faces = [], []
    along = np.linspace(0, 1, 7)
    for i in range(leaves):
        heading, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.35)
        reach, width = tall * rng.uniform(0.35, 0.8), tall * rng.uniform(0.03, 0.06)
        out = np.array([np.cos(heading), 0, np.sin(heading)])
        up = np.array([0, 1.0, 0])
        root = foot + up * (0.17 + tall * rng.uniform(0, 0.35))
        spine = root + reach * (np.outer(along, np.cos(rise) * out + np.sin(rise) * up) - np.outer(along**2, 0.55 * up))
        half = width * np.sin(np.pi * np.clip(along, 0.04, 0.98)) ** 0.7
        side = np.cross(out, up) + 0.4 * rng.normal() * up
        strip = np.stack([spine - half[:, None] * side, spine + half[:, None] * side], axis=1)
        base = 14 * i
        for k in range(6):
            a = base + 2 * k
            faces += [[a, a + 1, a + 3], [a, a + 3, a + 2]]
        points.append(strip.reshape(-1, 3))
    green = paint([0.055, 0.115, 0.035])
    pot = {"type": "cylinder", "p0": foot.tolist(), "p1": (foot + 0.2 * np.eye(3)[1]).tolist(), "radius": 0.11,
           "bsdf": paint([0.5, 0.46, 0.42])}  # fmt: skip
    return {"pot": pot, "leaves": mesh(mi, "leaves", np.concatenate(points), np.array(faces), green)}


def curtain(mi: ModuleType, rng: np.random.Generator, left: float, right: float, low: float, high: float, z: float):
    """A hanging curtain with folds, of linen."""
    u = np.linspace(0, 1, 240)
    fold = np.cumsum(1 + 0.5 * np.sin(2 * np.pi * (3 * u + rng.random())) + 0.35 * rng.normal(size=240).cumsum() / 15)
    phase = fold / fold[-1] * 2 * np.pi * 9
    v = np.linspace(0, 1, 24)[:, None]
    depth = (0.035 + 0.02 * v) * np.sin(phase + 0.5 * v) + 0.012 * np.sin(2.3 * phase + 2 * v)
    x = np.broadcast_to(left + (right - left) * u, depth.shape)
    y = np.broadcast_to(high + (low - high) * v, depth.shape)
    return sheet(mi, "curtain", np.stack([x, y, z + depth], axis=-1), paint([0.42, 0.4, 0.36]))
