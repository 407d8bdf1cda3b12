"""Skin: colour drawn evenly over skin tones, blotches and spots, pores, and an oil map by region.

Tone is given as the individual typology angle, ITA = atan((L* - 50) / b*) in degrees: above 55 very light, below -30
dark. Textures only bring the pattern; their colour is moved to one that measured skins of that angle have.
"""

import cv2
import numpy as np

from training.light_stage import assets
from training.light_stage.materials import SKIN, Material, lookup
from training.light_stage.regions import face_uv, region

# Bounds of the tones that are drawn equally often, ITA in degrees: the groups of Chardon 1991 (the ends closed where
# skins end), brown and dark halved, so that skins below and above 10 degrees are as many.
TONES_DEG = (-68.0, -49.0, -30.0, -10.0, 10.0, 28.0, 41.0, 55.0, 66.0)
# Typical a* and b* along ITA, after published skin-colour surveys, a* raised by 3 for the blood in a warm face.
ITA_KNOTS = (-70.0, -50.0, -25.0, 5.0, 25.0, 45.0, 65.0)
A_KNOTS = (8.5, 11.5, 14.5, 15.5, 15.0, 14.0, 12.5)
B_KNOTS = (8.0, 12.0, 16.5, 19.0, 18.0, 16.0, 13.0)
LIGHT_FROM_DEG, DARK_TO_DEG = -5.0, 22.0  # textures of light skins serve above the first, of dark ones below the second


def names() -> list[str]:
    """All usable skins, by file stem."""
    stems = {p.stem for p in (assets.root() / "makehuman" / "skins_512").glob("*.jpg")}
    return sorted(s for s in stems if "suit" not in s)


def draw_ita(rng: np.random.Generator) -> float:
    """An individual typology angle in degrees, every tone equally likely."""
    tone = int(rng.integers(len(TONES_DEG) - 1))
    return float(rng.uniform(TONES_DEG[tone], TONES_DEG[tone + 1]))


def colour_of(ita_deg: float, rng: np.random.Generator) -> np.ndarray:
    """(3,) float32 linear albedo of a face with this angle, redness and yellowness varied as people's are."""
    b = float(np.interp(ita_deg, ITA_KNOTS, B_KNOTS)) + rng.normal(0, 1.3)
    a = float(np.interp(ita_deg, ITA_KNOTS, A_KNOTS)) + rng.normal(0, 1.5)
    lab = np.float32([50 + b * np.tan(np.radians(ita_deg)), a, b])
    rgb = cv2.cvtColor(lab.reshape(1, 1, 3), cv2.COLOR_LAB2RGB).reshape(3)
    return np.clip(assets.srgb_to_linear(rgb), 0.01, 0.8)


def ita_of(albedo: np.ndarray) -> np.ndarray:
    """Individual typology angle in degrees of linear albedo (..., 3)."""
    rgb = assets.linear_to_srgb(np.asarray(albedo, np.float32).reshape(1, -1, 3))
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).reshape(*np.shape(albedo))
    return np.degrees(np.arctan2(lab[..., 0] - 50, lab[..., 2]))


def fitting(skins: list[str], ita_deg: float) -> list[str]:
    """Those of `skins` whose pattern can carry a tone; all of them if none fits."""
    dark, light = ita_deg < DARK_TO_DEG, ita_deg > LIGHT_FROM_DEG
    return [s for s in skins if (dark and "_dark" in s) or (light and "_light" in s)] or list(skins)


def _noise(rng: np.random.Generator, cells: int, size: int) -> np.ndarray:
    """(size, size) float32 smooth noise of unit deviation, `cells` blobs across."""
    small = rng.standard_normal((cells, cells)).astype(np.float32)
    out = cv2.resize(cv2.GaussianBlur(small, (0, 0), 0.8), (size, size), interpolation=cv2.INTER_CUBIC)
    return out / max(float(out.std()), 1e-6)


def _pattern(name: str, size: int) -> np.ndarray:
    """(size, size, 3) linear texture. Where only 512 pixels exist, a 2048 skin of the same sex lends fine detail."""
    base = assets.root() / "makehuman"
    fine = base / "skins" / "textures" / f"{name}.jpg"
    if fine.exists():
        return np.maximum(assets.load_texture(fine, size)[..., :3], 1e-3)
    coarse = assets.load_texture(base / "skins_512" / f"{name}.jpg", 512)[..., :3]
    donor = "young_lightskinned_female_diffuse2" if "female" in name else "young_lightskinned_male_diffuse"
    donor_rgb = assets.load_texture(base / "skins" / "textures" / f"{donor}.jpg", size)[..., :3]
    log = np.log(np.maximum(donor_rgb.mean(-1), 1e-3))
    ratio = np.exp(np.clip(log - cv2.GaussianBlur(log, (0, 0), size / 512 * 1.5), -0.5, 0.5))
    rgb = cv2.resize(coarse, donor_rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC) * ratio[..., None]
    return np.maximum(rgb, 1e-3)


def _recoloured(pattern: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """The pattern's relative brightness and hue around a new face colour (3,)."""
    middle = np.median(lookup(pattern, face_uv()), axis=0)
    ratio = np.maximum(pattern / middle, 1e-3)
    grey = ratio @ np.float32([0.3, 0.5, 0.2])
    grey = grey[..., None]
    contrast = 0.75 if middle.mean() < 0.1 else 1.0  # dark skins' textures are the noisier
    return colour * np.clip(grey, 0.05, 3) ** contrast * np.clip(ratio / grey, 0.3, 3) ** 0.65


def _living(rgb: np.ndarray, light: float, rng: np.random.Generator) -> np.ndarray:
    """Blood in nose, cheeks and ears, rings under the eyes, blotches, freckles and moles; light in [0, 1]."""
    size = len(rgb)
    flush = rng.uniform(0.02, 0.11) * (0.4 + 0.6 * light)
    red = region("cheeks", size) * (1 + 0.4 * _noise(rng, 64, size)) + 0.9 * region("nose tip", size)
    red = np.clip(red + 0.7 * region("ears", size) + 0.25 * region("chin", size), 0, 1.6)[..., None]
    ring = rng.uniform(0.0, 0.2) * region("under eyes", size)[..., None]
    rgb = rgb * (1 - flush * red * np.float32([0.1, 1.0, 0.85])) * (1 - ring * np.float32([0.8, 1.0, 0.8]))
    blotch = 0.03 * _noise(rng, 40, size) + 0.03 * _noise(rng, 130, size)
    rgb = rgb * np.exp(blotch[..., None] * np.float32([0.6, 1.0, 1.1]))
    spots = np.zeros((size, size), np.float32)
    if light > 0.5 and rng.random() < 0.15:
        dots = _noise(rng, size // 3, size)
        spots += np.clip(dots - 1.5, 0, 1) * 0.5 * (region("cheeks", size) + region("nose", size)).clip(0, 1)
    for u, v in face_uv()[rng.integers(len(face_uv()), size=int(rng.integers(0, 7)))]:
        centre = (int(u * size), int((1 - v) * size))
        cv2.circle(spots, centre, max(1, round(size / 1024 * rng.uniform(0.7, 1.8))), float(rng.uniform(0.3, 0.8)), -1)
    spots = cv2.GaussianBlur(spots, (0, 0), size / 1600)[..., None]
    return rgb * (1 - spots * np.float32([0.5, 0.65, 0.7]))


def _surface(rng: np.random.Generator, pores: np.ndarray) -> np.ndarray:
    """(size, size, 2) float32 roughness and reflectance at normal incidence: oily forehead and nose, wet lips, dull
    cheeks and neck; patchy, and dull in the pores."""
    size = len(pores)
    oil = rng.uniform(0.1, 1.0)
    shiny = region("forehead", size) * 0.8 + region("nose", size) + 0.5 * region("chin", size)
    shiny = np.clip(shiny + 0.35 * region("cheeks", size) + 0.4 * region("eyelids", size), 0, 1)
    lips = region("lips", size)
    patch = 1 + 0.25 * _noise(rng, 60, size) + 0.15 * _noise(rng, 200, size)
    roughness = 0.56 - 0.17 * oil * shiny * patch - rng.uniform(0.04, 0.2) * lips + 0.03 * pores
    f0 = 0.022 + (0.004 + 0.014 * oil) * shiny * np.clip(patch, 0.3, 1.8) + 0.012 * lips
    f0 = f0 * np.clip(1 - 0.2 * pores, 0.4, 1.3)
    return np.stack([np.clip(roughness, 0.26, 0.7), np.clip(f0, 0.01, 0.06)], axis=-1).astype(np.float32)


def material(name: str, colour: np.ndarray, rng: np.random.Generator, size: int = 2048) -> Material:
    """Skin with the pattern `name` in face colour (3,), linear; its texture `size` texels wide."""
    colour = np.asarray(colour, np.float32)
    light = float(np.clip(colour.mean() / 0.3, 0, 1))
    rgb = _living(_recoloured(_pattern(name, size), colour), light, rng)
    rgb = np.clip(rgb, 0.003, 0.85).astype(np.float32)
    log = np.log(rgb.mean(-1))
    # pores: fine brightness detail, its strength the same for every tone (dark skins' textures are noisier)
    detail = cv2.GaussianBlur(log, (0, 0), 1.0) - cv2.GaussianBlur(log, (0, 0), size / 200)
    detail = np.clip(detail / max(float(detail.std()), 1e-4), -3, 3)
    height = float(rng.uniform(0.4, 1.0)) * size / 2048 * detail * 0.45
    texture = np.concatenate([rgb, np.ones_like(rgb[..., :1])], axis=-1)
    return Material(texture, SKIN, 0.5, 0.028, (0.65, 0.4, 0.3), height, surface=_surface(rng, -detail))
