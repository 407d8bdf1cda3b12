"""What a person is made of besides a body: eyes, mouth, hair, brows, lashes, clothes; MakeHuman's assets by name."""

import cv2
import numpy as np

from training.light_stage import assets, materials
from training.light_stage.body import TONGUE, body
from training.light_stage.materials import Material
from training.light_stage.part import Part
from training.light_stage.placement import Hung, OnBody

HAIR_STYLES = {"bob02": "f", "braid01": "f", "long01": "fm", "ponytail01": "f", "short01": "mf", "short02": "m",
               "short03": "mf", "short04": "m"}  # fmt: skip
OUTFITS = {
    "f": ("female_casualsuit01", "female_casualsuit02", "female_elegantsuit01", "female_sportsuit01"),
    "m": ("male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04", "male_casualsuit05",
          "male_casualsuit06", "male_elegantsuit01", "male_worksuit01"),
}  # fmt: skip
PLUCKED = 6
"""Brows that are one thin drawn line."""
PRINTED = ("female_casualsuit01", "female_sportsuit01", "male_casualsuit02", "male_casualsuit04", "male_casualsuit06")
"""Outfits whose own textures carry one and the same print on the chest."""


def base_faces(vertices: slice) -> tuple[np.ndarray, np.ndarray]:
    """Faces of the base mesh inside a vertex range, re-based to it, and their uv."""
    model = body()
    inside = ((model.faces >= vertices.start) & (model.faces < vertices.stop)).all(1)
    return model.faces[inside] - vertices.start, model.face_uv[inside]


def card(kind: str, name: str, material: Material) -> Part:
    """Hair, brows or lashes: alpha cards that hang on the base mesh."""
    folder = assets.root() / "makehuman" / kind / name
    mesh = assets.load_obj(folder / f"{name}.obj")
    return Part(name, mesh.faces, mesh.face_uv, material, Hung(assets.load_fit(folder / f"{name}.mhclo")), True)


def hair(style: str, colour: np.ndarray) -> Part:
    """A MakeHuman hair style in a linear colour (3,)."""
    path = assets.root() / "makehuman" / "hair" / style / f"{style}_diffuse.png"
    return card("hair", style, materials.hair(path, colour))


def brows_and_lashes(
    rng: np.random.Generator, sex: str, colour: np.ndarray, shape: int | None = None
) -> list[Part]:  # fmt: skip
    """Random brows in the hair's colour (or those of a shape from 1 to 12), random dark lashes."""
    folder = assets.root() / "makehuman"
    number = int(rng.integers(1, 13))
    if sex == "m" and number == PLUCKED:
        number = 9
    brow = f"eyebrow{shape or number:03d}"
    tint = colour * (0.8 if colour.mean() < 0.1 else 0.45)
    lash = f"eyelashes{rng.integers(1, 5):02d}"
    dark = materials.hair(folder / "eyelashes" / lash / f"{lash}.png", np.float32([0.01, 0.008, 0.007]))
    dark.texture[..., 3] *= 0.5 if sex == "m" else 0.85  # these lashes are made up for a party
    brow_material = materials.hair(folder / "eyebrows" / brow / f"{brow}.png", tint)
    bushy = rng.uniform(1.6, 3.0) if sex == "m" else rng.uniform(1.3, 2.2)  # the painted ones are plucked thin
    opacity = cv2.GaussianBlur(brow_material.texture[..., 3], (0, 0), 2.5)
    if shape is not None:
        bushy = 0.9
    brow_material.texture[..., 3] = np.clip(bushy * np.maximum(brow_material.texture[..., 3], opacity), 0, 0.92)
    return [card("eyebrows", brow, brow_material), card("eyelashes", lash, dark)]


def mouth(rng: np.random.Generator) -> list[Part]:
    """Teeth of a random shape and whiteness, and a tongue."""
    base = assets.root() / "makehuman"
    folder = base / "teeth" / rng.choice(["teeth_base"] + [f"teeth_shape0{i}" for i in range(1, 6)])
    mesh = assets.load_obj(folder / f"{folder.name}.obj")
    ivory = np.float32([1, rng.uniform(0.9, 0.97), rng.uniform(0.76, 0.9)]) * rng.uniform(0.52, 0.68)
    teeth = materials.teeth(base / "teeth" / "materials" / "teeth.png", ivory)
    tongue = materials.plain(base / "tongue" / "tongue01" / "tongue01_diffuse.jpg", 1.0, materials.MOUTH, 0.3, 0.4)
    hung = Hung(assets.load_fit(folder / f"{folder.name}.mhclo"))
    faces, uv = base_faces(TONGUE)
    return [
        Part("teeth", mesh.faces, mesh.face_uv, teeth, hung),
        Part("tongue", faces, uv, tongue, OnBody(TONGUE)),
    ]


def cloth_colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) linear albedo: mostly muted, black to white, at times saturated."""
    grey = rng.choice([0.03, 0.08, 0.2, 0.4, 0.65], p=[0.25, 0.2, 0.2, 0.2, 0.15])
    return np.float32(
        np.clip(grey * np.exp(rng.normal(0, rng.choice([0.06, 0.35, 0.8], p=[0.5, 0.4, 0.1]), 3)), 0.01, 0.8)
    )


def pick_outfit(rng: np.random.Generator, sex: str) -> str:
    """A random outfit's name; the one that leaves the belly bare is rare on calls."""
    weight = np.array([0.15 if name == "female_sportsuit01" else 1.0 for name in OUTFITS[sex]])
    return str(rng.choice(OUTFITS[sex], p=weight / weight.sum()))


def outfit(name: str, rng: np.random.Generator, dye: np.ndarray | None = None) -> tuple[Part, np.ndarray]:
    """(an outfit in its own or random cloth, or in cloth of linear albedo `dye` (3,); base vertices that it hides)."""
    folder = assets.root() / "makehuman" / "clothes" / name
    mesh = assets.load_obj(folder / f"{name}.obj")
    texture = folder / f"{name}_diffuse.jpg"
    colour = cloth_colour(rng) if rng.random() < 0.75 or name in PRINTED else None
    contrast = 0.12 if name in PRINTED or rng.random() < 0.6 else 1.0
    material = materials.cloth(texture if texture.exists() else None, colour, rng, contrast)
    if dye is not None:
        material = materials.cloth(texture if texture.exists() else None, dye, rng, 0.5)
    elif rng.random() < 0.22:
        own = material.texture[..., :3].mean((0, 1))
        materials.weave_pattern(material, own + rng.uniform(0.3, 0.8) * (cloth_colour(rng) - own), rng)
    fit = assets.load_fit(folder / f"{name}.mhclo")
    return Part(name, mesh.faces, mesh.face_uv, material, Hung(fit)), fit.hidden
