"""What stands behind the person: the light's own panorama through the camera, a blurred or busy room, a wall.

Each backdrop is planned first (all that is random is drawn) and painted when, and if, it is needed.
"""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from training.light_stage.busy import plan_busy
from training.light_stage.directions import latlong

Painter = Callable[[], np.ndarray]
"""Paints a planned backdrop: (H, W, 3) float32 linear."""


@lru_cache(maxsize=32)
def _view_map(focal_px: float, centre_x: float, centre_y: float, size: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Lat-long u, v in [0, 1) of each pixel, (H, W) float32 each."""
    height, width = size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    d = np.stack([(x - centre_x) / focal_px, (centre_y - y) / focal_px, -np.ones_like(x)], axis=-1)
    return tuple(np.float32(a) for a in latlong(d))


def project(image: np.ndarray, focal_px: float, principal: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) linear view of a lat-long (h, 2h, 3) panorama through a pinhole that looks along -z."""
    u, v = _view_map(float(focal_px), float(principal[0]), float(principal[1]), tuple(size))
    h, w = image.shape[:2]
    return cv2.remap(image, u * w - 0.5, v * h - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def plan_wall(rng: np.random.Generator, code: np.ndarray, size: tuple[int, int]) -> Painter:
    """A plain painted wall behind the person, lit unevenly by the light from the front."""
    from training.light_stage.lights import grey_card

    height, width = size
    paint = np.clip(rng.choice([0.12, 0.3, 0.55, 0.75]) * np.exp(rng.normal(0, 0.12, 3)), 0.02, 0.85)
    slope, falloff = rng.normal(0, 0.25, 2), 0.2 * rng.random()

    def painted() -> np.ndarray:
        x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
        shade = np.outer(np.exp(slope[1] * y - falloff * y * y), np.exp(slope[0] * x - falloff * x * x))
        return (np.float32(paint * grey_card(code)) * np.float32(shade)[..., None]).astype(np.float32)

    return painted


def plan_room(rng: np.random.Generator, view: Painter, size: tuple[int, int]) -> Painter:
    """A view with things in it: blurred boxes (shelves, frames, lamps) laid over, then put out of focus."""
    height, width = size
    boxes = []
    for _ in range(int(rng.integers(4, 14))):
        w, h = (np.array([width, height]) * rng.uniform(0.05, 0.4, 2)).astype(int) + 2
        x, y = int(rng.integers(-w // 2, width)), int(rng.integers(-h // 2, height))
        boxes.append((x, y, w, h, np.exp(rng.normal(0, 0.4)) * np.exp(rng.normal(0, 0.15, 3))))
    blur_px = float(rng.uniform(1.0, 7.0)) * width / 256

    def painted() -> np.ndarray:
        out = view()
        mean = out.mean((0, 1))
        for x, y, w, h, tint in boxes:
            out[max(y, 0) : y + h, max(x, 0) : x + w] = mean * tint
        return cv2.GaussianBlur(out, (0, 0), blur_px)

    return painted


def plan_backdrop(panoramas, light, camera: dict, size: tuple[int, int], rng: np.random.Generator) -> Painter:
    """A random backdrop for a light; camera holds focal_px and principal_px."""
    best = max(light.sources, default=(0.0, -1, 0.0))
    kinds = ["panorama", "room", "busy", "wall"]
    kind = rng.choice(kinds, p=[0.64, 0.06, 0.08, 0.22]) if best[1] >= 0 else "wall"
    blur_px = 5.0 * rng.random() ** 2 * size[1] / 256  # half of the rooms are in focus
    if kind == "wall":
        return plan_wall(rng, light.code, size)
    if kind in ("busy", "room") and rng.random() < 0.85:  # shelves hang on walls, seldom between trees
        wall = plan_wall(rng, light.code, size)
        return plan_busy(rng, wall, panoramas, size) if kind == "busy" else plan_room(rng, wall, size)

    def view() -> np.ndarray:
        gain = light.code.mean() / max(panoramas.images[best[1]].mean(), 1e-6)
        image = np.minimum(panoramas.view(best[1], best[2]) * gain, 30.0)
        lit = np.maximum(project(image, float(camera["focal_px"]), camera["principal_px"], size), 0)
        return cv2.GaussianBlur(lit, (0, 0), blur_px) if blur_px > 0.3 else lit

    if kind == "busy":
        return plan_busy(rng, view, panoramas, size)
    return plan_room(rng, view, size) if kind == "room" else view


def backdrop(panoramas, light, camera: dict, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random backdrop (H, W, 3) linear for a light; see `plan_backdrop`."""
    return plan_backdrop(panoramas, light, camera, size, rng)()
