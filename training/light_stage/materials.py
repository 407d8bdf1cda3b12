"""Surface materials: texture lookup, tone and colour variation. Albedo is linear Rec.709 in [0, 1]."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from training.light_stage import assets
from training.light_stage.hair import strand_map

# Parsing classes, one per pixel.
BACKGROUND, SKIN, HAIR, EYES, MOUTH, CLOTHES, ACCESSORIES = range(7)
CLASS_NAMES = ("background", "skin", "hair", "eyes", "mouth", "clothes", "accessories")

# Linear albedo of hair, black to white, and dyed.
HAIR_COLOURS = np.float32([
    [0.012, 0.010, 0.009], [0.018, 0.013, 0.010], [0.035, 0.021, 0.014], [0.060, 0.034, 0.019],
    [0.100, 0.058, 0.030], [0.180, 0.110, 0.055], [0.330, 0.230, 0.120], [0.160, 0.055, 0.020],
    [0.220, 0.210, 0.200], [0.480, 0.460, 0.430],
])  # fmt: skip


@dataclass
class Material:
    """What one part is made of.

    texture (h, w, 4) float32 linear RGB + alpha; height (h, w) float32 bump height in texels, or None;
    roughness in (0, 1]; f0: reflectance at normal incidence; soft (3,): share of light that has wandered below the
    surface, per channel; label: parsing class; surface (h, w, 2) float32: roughness and f0 that vary, or None;
    strand (h, w, 3) float32: doubled angle and tilt of hairs (see hair.strand_map), or None.
    """

    texture: np.ndarray
    label: int
    roughness: float = 0.5
    f0: float = 0.04
    soft: tuple[float, float, float] = (0.0, 0.0, 0.0)
    height: np.ndarray | None = None
    surface: np.ndarray | None = None
    strand: np.ndarray | None = None
    slopes: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.height is not None:
            gu = cv2.Sobel(self.height, cv2.CV_32F, 1, 0, ksize=3) / 8
            gv = cv2.Sobel(self.height, cv2.CV_32F, 0, 1, ksize=3) / 8
            self.slopes = np.stack([gu, -gv], axis=-1)  # v runs up, rows run down

    def sample(self, uv: np.ndarray) -> np.ndarray:
        """(n, 4) bilinear texture values at uv (n, 2)."""
        return lookup(self.texture, uv)

    @cached_property
    def alpha(self) -> np.ndarray:
        """(h, w) float32 opacity, laid out for quick lookups."""
        return np.ascontiguousarray(self.texture[..., 3])

    def gloss(self, uv: np.ndarray) -> np.ndarray:
        """(n, 2) float32 roughness and reflectance at normal incidence at uv (n, 2)."""
        if self.surface is None:
            return np.broadcast_to(np.float32([self.roughness, self.f0]), (len(uv), 2))
        return lookup(self.surface, uv)

    def slope(self, uv: np.ndarray) -> np.ndarray | None:
        """(n, 2) height slopes along u and v at uv, or None for a smooth part."""
        return None if self.slopes is None else lookup(self.slopes, uv)


def lookup(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear lookup of an (h, w, c) image at uv (n, 2), v up, wrapping; returns (n, c)."""
    h, w = image.shape[:2]
    x = np.mod(uv[:, 0], 1.0) * w - 0.5
    y = (1 - np.mod(uv[:, 1], 1.0)) * h - 0.5
    side = 4096  # cv2.remap wants images narrower than 32768
    rows = -(-len(uv) // side)
    padded = np.zeros((2, rows * side), np.float32)
    padded[0, : len(uv)], padded[1, : len(uv)] = x, y
    out = cv2.remap(image, padded[0].reshape(rows, side), padded[1].reshape(rows, side), cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return out.reshape(rows * side, -1)[: len(uv)]


def hair(path: Path, colour: np.ndarray, label: int = HAIR) -> Material:
    """Hair, brow or lash cards: the texture's strands in a new colour (3,), its alpha kept, painted shine taken out."""
    image = assets.load_texture(path, 1024)
    grey, alpha = image[..., :3].mean(-1), image[..., 3]
    wide = cv2.GaussianBlur(grey * alpha, (0, 0), 12) / np.maximum(cv2.GaussianBlur(alpha, (0, 0), 12), 0.02)
    mean = (grey * alpha).sum() / max(alpha.sum(), 1e-6)
    detail = np.clip(grey / np.maximum(wide, 1e-4), 0.3, 2.5) ** 0.8 * np.clip(wide / max(mean, 1e-4), 0.4, 2) ** 0.4
    strand = strand_map(path)
    shade = cv2.resize(strand[..., 2], grey.shape[::-1]) / 0.07
    detail = detail * np.exp(0.16 * shade)
    texture = np.concatenate([np.clip(detail[..., None] * colour, 0, 0.9), alpha[..., None]], axis=-1)
    bumps = 4.0 * cv2.GaussianBlur(np.sqrt(grey), (0, 0), 0.7)
    gloss = np.stack([np.full_like(shade, 0.55), 0.03 * np.clip(1 + 0.45 * shade, 0.1, 2.2)], axis=-1)
    return Material(texture.astype(np.float32), label, 0.55, 0.03, (0.35, 0.3, 0.25), bumps.astype(np.float32),
                    gloss.astype(np.float32), strand)  # fmt: skip


def cloth(path, colour: np.ndarray | None, rng: np.random.Generator, contrast: float = 1.0) -> Material:
    """Cloth: the outfit's own texture, or its detail in `colour` (3,), with a fine weave as bump.

    contrast: power of that detail; near 0 hardly anything is left of stripes and prints.
    """
    image = assets.load_texture(path, 1024) if path else np.full((512, 512, 4), 0.5, np.float32)
    rgb = image[..., :3]
    if colour is not None or path is None:
        grey = rgb.mean(-1, keepdims=True)
        detail = np.clip(grey / np.maximum(cv2.blur(grey, (201, 201)), 0.01)[..., None], 0.4, 1.8) ** contrast
        rgb = np.clip(detail * (colour if colour is not None else rng.uniform(0.03, 0.6, 3)), 0.01, 0.85)
    noise = rng.standard_normal(rgb.shape[:2]).astype(np.float32)
    grey = rgb.mean(-1)
    height = 0.12 * cv2.GaussianBlur(noise, (0, 0), 1.0) + 3 * np.sqrt(cv2.GaussianBlur(grey, (0, 0), 1.5))
    texture = np.concatenate([rgb, np.ones_like(rgb[..., :1])], axis=-1).astype(np.float32)
    return Material(texture, CLOTHES, rng.uniform(0.55, 0.9), 0.03, (0.15, 0.15, 0.15), height.astype(np.float32))


def creased(cloth: Material, rng: np.random.Generator, steep: float = 0.3) -> None:
    """Lay soft folds over a cloth: the ridges of two smooth noises, their slopes about `steep`; the weave stays."""
    size = cloth.texture.shape[:2]
    for share, weight in ((14, 1.0), (38, 0.5)):
        noise = cv2.GaussianBlur(rng.standard_normal(size).astype(np.float32), (0, 0), size[0] / share / 2.5)
        ridge = np.exp(-((noise / noise.std()) ** 2) * 2.5)
        slope = np.stack([cv2.Sobel(ridge, cv2.CV_32F, 1, 0), -cv2.Sobel(ridge, cv2.CV_32F, 0, 1)], axis=-1)
        cloth.slopes = cloth.slopes + weight * steep * slope / (2 * slope.std())


def weave_pattern(cloth: Material, second: np.ndarray, rng: np.random.Generator) -> None:
    """Lay stripes, checks, dots or a plaid of a second colour (3,) over a cloth."""
    h, w = cloth.texture.shape[:2]
    v, u = np.meshgrid(np.linspace(0, 1, h), np.linspace(0, 1, w), indexing="ij")
    count = float(np.exp(rng.uniform(np.log(24), np.log(100))))
    a, b = np.sin(2 * np.pi * count * u), np.sin(2 * np.pi * count * v)
    kind = rng.choice(["stripes", "rings", "checks", "plaid", "dots"])
    sharp = 4.0
    cover = {
        "stripes": np.clip(sharp * (a - rng.uniform(-0.3, 0.6)), 0, 1),
        "rings": np.clip(sharp * (b - rng.uniform(-0.3, 0.6)), 0, 1),
        "checks": np.clip(sharp * a * b, 0, 1),
        "plaid": 0.5 * np.clip(sharp * a, 0, 1) + 0.5 * np.clip(sharp * b, 0, 1),
        "dots": np.clip(sharp * (a + b - 1.2), 0, 1),
    }[kind][..., None]
    shade = cloth.texture[..., :3].mean(-1, keepdims=True) / max(float(cloth.texture[..., :3].mean()), 1e-3)
    cloth.texture = cloth.texture.copy()
    cloth.texture[..., :3] = np.clip(cloth.texture[..., :3] * (1 - cover) + second * shade * cover, 0.005, 0.85)


def plain(path: Path, gain: float, label: int, roughness: float, soft: float) -> Material:
    """A part with its own texture times a gain: the tongue."""
    image = assets.load_texture(path, 512).copy()
    image[..., :3] = np.clip(image[..., :3] * gain, 0, 0.9)
    image[..., 3] = 1
    return Material(image, label, roughness, 0.05, (soft,) * 3)


def teeth(path: Path, ivory: np.ndarray) -> Material:
    """Enamel of linear colour ivory (3,) and gums; the texture's black gaps between its islands are filled in."""
    rgb = assets.load_texture(path, 512)[..., :3]
    gap = (rgb.max(-1) < 0.004).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(gap, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.zeros((nearest.max() + 1, 3), np.float32)
    colours[nearest[gap == 0]] = rgb[gap == 0]
    rgb = colours[nearest]
    grey = rgb.mean(-1, keepdims=True)
    gum = np.clip((rgb[..., :1] / np.maximum(rgb[..., 1:2], 1e-3) - 1.4) / 0.6, 0, 1)
    enamel = ivory * np.clip(grey / max(float(np.median(grey[gum < 0.1])), 1e-3), 0.5, 1.4) ** 0.25
    pink = (
        np.float32([0.42, 0.17, 0.15]) * np.clip(grey / max(float(np.median(grey[gum > 0.9])), 1e-3), 0.5, 1.6) ** 0.5
    )
    rgb = np.clip(enamel * (1 - gum) + pink * gum, 0.01, 0.85)
    image = np.concatenate([rgb, np.ones_like(grey)], axis=-1).astype(np.float32)
    # enamel lets light through: shaded as one soft row, not as pegs with black gaps
    return Material(image, MOUTH, 0.3, 0.04, (0.8, 0.78, 0.76))
