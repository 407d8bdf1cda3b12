"""Busy backdrops: shelves of books, framed pictures, a screen and lamps in front of a view. All sizes scale with it."""

from collections.abc import Callable

import cv2
import numpy as np

Painter = Callable[[], np.ndarray]


def _colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) linear paint between dark and light, now and then strong."""
    return np.clip(np.exp(rng.normal(-1.6, 0.6)) * np.exp(rng.normal(0, rng.choice([0.12, 0.35]), 3)), 0.01, 0.85)


def _shelf(rng: np.random.Generator, height: int, width: int) -> list[tuple]:
    """Boxes (x, y, w, h, colour) of one board and the books on it."""
    y, reach = int(rng.uniform(0.1, 0.95) * height), float(rng.uniform(0.3, 1.0)) * width
    x, end = rng.uniform(-0.2, 0.7) * width, 0.0
    end = x + reach
    boxes = [(int(x), y, int(reach), max(2, height // 60), _colour(rng) * 0.7)]
    while x < end:
        w, h = rng.uniform(0.008, 0.035) * width, rng.uniform(0.07, 0.16) * height
        if rng.random() < 0.85:
            boxes.append((int(x), int(y - h), max(2, int(w)), int(h), _colour(rng)))
        x += w * rng.choice([1.0, 1.15, 2.0], p=[0.7, 0.2, 0.1])
    return boxes


def _pictures(rng: np.random.Generator, panoramas, height: int, width: int) -> list[tuple]:
    """Framed pictures (x, y, w, h, panorama, its first row and column): cuts of other panoramas."""
    out = []
    for _ in range(int(rng.integers(0, 4))):
        w, h = (int(s * rng.uniform(0.1, 0.3)) + 4 for s in (width, height))
        x, y = int(rng.uniform(-0.1, 0.9) * width), int(rng.uniform(-0.1, 0.6) * height)
        out.append((x, y, w, h, int(rng.integers(len(panoramas.files))), *(int(i) for i in rng.integers((30, 100)))))
    return out


def plan_busy(rng: np.random.Generator, view: Painter, panoramas, size: tuple[int, int]) -> Painter:
    """A view with shelves, pictures, lamps and a screen before it, hardly out of focus; (H, W, 3) linear."""
    height, width = size
    boxes = [box for _ in range(int(rng.integers(1, 5))) for box in _shelf(rng, height, width)]
    pictures = _pictures(rng, panoramas, height, width)
    lamps = [(*(rng.uniform(0, 1, 2) * [width, height * 0.7]), rng.uniform(0.01, 0.05) * width, rng.uniform(2, 8))
             for _ in range(int(rng.integers(0, 3)))]  # fmt: skip
    warm = np.exp(rng.normal(0, 0.2, 3)) * [1.15, 1.0, 0.75]
    blur_px = float(rng.uniform(0.5, 2.5)) * width / 256

    def painted() -> np.ndarray:
        out = view()
        level = float(np.median(out.mean(-1))) + 0.05
        y, x = np.mgrid[0:height, 0:width]
        for px, py, radius, strength in lamps:
            glow = np.exp(-(((x - px) ** 2 + (y - py) ** 2) / radius**2)).astype(np.float32)
            out = out + (glow * strength * level)[..., None] * np.float32(warm)
        for bx, by, w, h, index, row, column in pictures:
            cut = panoramas.images[index][row : row + 24, column : column + 28]
            cut = cut / max(float(cut.mean()), 1e-4) * 0.4 * level
            whole = np.full((h, w, 3), 0.1 * level, np.float32)
            edge = max(1, min(w, h) // 14)
            inner = (max(1, w - 2 * edge), max(1, h - 2 * edge))
            whole[edge : edge + inner[1], edge : edge + inner[0]] = cv2.resize(np.minimum(cut, 2 * level), inner)
            _paste(out, whole, bx, by)
        for bx, by, w, h, colour in boxes:
            _paste(out, np.broadcast_to(np.float32(2 * level * colour), (max(h, 1), max(w, 1), 3)), bx, by)
        return np.maximum(cv2.GaussianBlur(np.float32(out), (0, 0), blur_px), 0)

    return painted


def _paste(out: np.ndarray, piece: np.ndarray, x: int, y: int) -> None:
    """Lay a piece (h, w, 3) over out at column x, row y, cut to what fits."""
    h, w = piece.shape[:2]
    top, left = max(0, -y), max(0, -x)
    seen = out[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)]
    seen[:] = piece[top : top + seen.shape[0], left : left + seen.shape[1]]
