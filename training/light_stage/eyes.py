"""Eyeballs: fine enough that the lids' shade falls on them, a bulging wet cornea, an iris of many colours."""

from dataclasses import dataclass

import cv2
import numpy as np

from training.light_stage.body import EYES, BodyState, body
from training.light_stage.materials import EYES as EYES_LABEL
from training.light_stage.materials import Material
from training.light_stage.part import Part

SPLITS = 2  # each quarters every triangle
IRIS = np.float32([
    [0.06, 0.028, 0.012], [0.09, 0.045, 0.02], [0.16, 0.09, 0.035], [0.08, 0.12, 0.05], [0.1, 0.17, 0.24],
    [0.14, 0.18, 0.2], [0.035, 0.018, 0.01],
])  # fmt: skip
BROWN, PALE = (0, 1, 2, 6), (2, 3, 4, 5)


def quartered(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(faces (4 f, 3), ends of the new vertices' edges (m, 2)) of a mesh with `count` vertices, triangles quartered."""
    sides = np.sort(np.stack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]], axis=1).reshape(-1, 2), axis=1)
    ends, index = np.unique(sides, axis=0, return_inverse=True)
    ab, bc, ca = (index.reshape(-1, 3) + count).T
    a, b, c = faces.T
    pieces = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([np.stack(p, axis=1) for p in pieces]).astype(np.int32), ends


def _split_uv(uv: np.ndarray) -> np.ndarray:
    """(4 f, 3, 2) uv of quartered faces, in the order of `quartered`."""
    a, b, c = uv[:, 0], uv[:, 1], uv[:, 2]
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    pieces = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([np.stack(p, axis=1) for p in pieces])


@dataclass(frozen=True)
class Eyeballs:
    """Placement of both eyes: the body's 144 eye vertices, refined to rounder balls. edges: one array a split."""

    edges: tuple[np.ndarray, ...]
    left: np.ndarray

    def vertices(self, state: BodyState) -> np.ndarray:
        """See Placement."""
        point, left = state.posed()[EYES], self.left
        middle = np.stack([point[~left].mean(0), point[left].mean(0)])
        for ends in self.edges:
            centre = middle[left[ends[:, 0]].astype(int)]
            arm = point[ends] - centre[:, None]
            new = arm.mean(1)
            new *= (np.linalg.norm(arm, axis=2).mean(1) / np.linalg.norm(new, axis=1))[:, None]
            point, left = np.concatenate([point, centre + new]), np.concatenate([left, left[ends[:, 0]]])
        return point.astype(np.float32)


def eyes(material: Material) -> Part:
    """Both eyeballs; uv is the front view of each, so that the iris lies in the middle."""
    model = body()
    inside = ((model.faces >= EYES.start) & (model.faces < EYES.stop)).all(1)
    faces, point = model.faces[inside] - EYES.start, model.template[EYES]
    left = point[:, 0] > 0
    uv = np.zeros((len(faces), 3, 2), np.float32)
    for side in (left, ~left):
        low, high = point[side].min(0), point[side].max(0)
        local = (point - (low + high) / 2) / ((high[0] - low[0]) / 2)
        mine = side[faces[:, 0]]
        uv[mine] = local[faces[mine]][..., :2] * 0.5 + 0.5
    edges, count = [], len(point)
    for _ in range(SPLITS):
        faces, ends = quartered(faces, count)
        uv, count = _split_uv(uv), count + len(ends)
        edges.append(ends)
    return Part("eyes", faces, uv, material, Eyeballs(tuple(edges), left))


def _iris(rng: np.random.Generator, light_chance: float, r: np.ndarray, angle: np.ndarray, iris_r: float):
    """(h, w, 3) an iris with fibres, a lighter or browner collar around the pupil and a dark outer ring."""
    colour = IRIS[rng.choice(PALE if rng.random() < light_chance else BROWN)] * np.exp(rng.normal(0, 0.15, 3))
    fibre = sum(np.sin(k * angle + rng.uniform(0, 6.3)) / np.sqrt(k) for k in (9, 17, 23, 41, 57)) * 0.2
    collar = np.clip((0.62 * iris_r - r) / 0.05 + 0.3 * fibre, 0, 1)[..., None]
    inner = colour * rng.uniform(1.0, 1.8) * np.float32([1.1, 0.95, rng.uniform(0.6, 1.0)])
    iris = (colour * (1 - collar) + inner * collar) * np.clip(1.0 + fibre, 0.3, 3)[..., None]
    return iris * (1 - rng.uniform(0.5, 0.8) * np.clip((r - iris_r + 0.08) / 0.08, 0, 1))[..., None]


def material(rng: np.random.Generator, light_chance: float, size: int = 256) -> Material:
    """An eyeball seen from the front: texture over (x, y) of the eye's own frame in [-1, 1], iris in the middle.

    light_chance: chance of blue, green or hazel irises. Sclera pinkish and veined towards its rim.
    """
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    iris_r, pupil_r = rng.uniform(0.38, 0.42), rng.uniform(0.12, 0.2)
    iris = _iris(rng, light_chance, r, angle, iris_r)
    veins = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), 3) * 5
    sclera = np.float32([0.55, 0.49, 0.44]) * rng.uniform(0.72, 1.0) * np.float32([1, 1, rng.uniform(0.82, 1.0)])
    red = np.clip((r - 0.45) * rng.uniform(0.6, 1.4) + 0.16 * veins * (r > 0.45), 0, 1)[..., None]
    rgb = sclera * (1 - red * np.float32([0.12, 0.42, 0.42]))
    edge = np.clip((r - iris_r) / 0.04, -1, 1)[..., None] * 0.5 + 0.5
    rgb = iris * (1 - edge) + rgb * edge
    rgb = rgb * np.clip((r - pupil_r) / 0.025, 0.02, 1)[..., None]
    texture = np.concatenate([np.clip(rgb, 0.002, 0.8), np.ones_like(rgb[..., :1])], axis=-1)
    out = Material(texture.astype(np.float32), EYES_LABEL, 0.1, 0.04, (0.25, 0.2, 0.2))
    # the cornea bulges: its normals fan out by as much again as the ball's
    bulge = np.clip((1.25 * iris_r - r) / (0.25 * iris_r), 0, 1)[..., None]
    out.slopes = (-1.0 * np.stack([x, y], axis=-1) * bulge).astype(np.float32)
    return out
