"""What stands behind the person: the light's own panorama through the camera, a blurred room, a plain wall."""

import cv2
import numpy as np

from training.light_stage.directions import latlong


def project(image: np.ndarray, focal_px: float, principal: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) linear view of a lat-long (h, 2h, 3) panorama through a pinhole that looks along -z."""
    height, width = size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    d = np.stack([(x - principal[0]) / focal_px, (principal[1] - y) / focal_px, -np.ones_like(x)], axis=-1)
    u, v = latlong(d)
    h, w = image.shape[:2]
    return cv2.remap(
        image, np.float32(u * w - 0.5), np.float32(v * h - 0.5), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )


def wall(rng: np.random.Generator, code: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) a plain painted wall behind the person, lit unevenly by the light from the front."""
    from training.light_stage.lights import grey_card

    height, width = size
    paint = np.clip(rng.choice([0.12, 0.3, 0.55, 0.75]) * np.exp(rng.normal(0, 0.12, 3)), 0.02, 0.85)
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    slope = rng.normal(0, 0.25, 2)
    shade = np.exp(slope[0] * x + slope[1] * y - 0.2 * rng.random() * (x * x + y * y))
    return (paint * grey_card(code) * shade[..., None]).astype(np.float32)


def room(rng: np.random.Generator, view: np.ndarray) -> np.ndarray:
    """A view with things in it: blurred boxes (shelves, frames, lamps) laid over, then put out of focus."""
    height, width = view.shape[:2]
    out = view.copy()
    mean = view.mean((0, 1))
    for _ in range(int(rng.integers(4, 14))):
        w, h = (np.array([width, height]) * rng.uniform(0.05, 0.4, 2)).astype(int) + 2
        x, y = int(rng.integers(-w // 2, width)), int(rng.integers(-h // 2, height))
        colour = mean * np.exp(rng.normal(0, 0.6)) * np.exp(rng.normal(0, 0.3, 3))
        out[max(y, 0) : y + h, max(x, 0) : x + w] = colour
    return cv2.GaussianBlur(out, (0, 0), float(rng.uniform(1.0, 7.0)) * width / 256)


def backdrop(panoramas, light, camera: dict, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random backdrop (H, W, 3) linear for a light; camera holds focal_px and principal_px."""
    best = max(light.sources, default=(0.0, -1, 0.0))
    kind = rng.choice(["panorama", "room", "wall"], p=[0.55, 0.25, 0.2]) if best[1] >= 0 else "wall"
    if kind == "wall":
        return wall(rng, light.code, size)
    image = panoramas.turned(best[1], best[2])
    raw = image.mean()
    gain = light.code.mean() / max(raw, 1e-6)
    # webcams show a wider world than the head's own frame; the panorama is soft, as out-of-focus rooms are
    view = project(np.minimum(image * gain, 30.0), float(camera["focal_px"]), camera["principal_px"], size)
    return np.maximum(room(rng, view) if kind == "room" else view, 0)
