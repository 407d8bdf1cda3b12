"""A person: identity sampled by seed, dressed in parts that follow Anny's body."""

from dataclasses import dataclass, field

import numpy as np

from training.light_stage import facial_hair, headwear, materials, wardrobe
from training.light_stage.body import BODY, BodyState, body
from training.light_stage.motion import Performance
from training.light_stage.part import Part
from training.light_stage.placement import OnBody

# Local changes that would spoil the head's fit to hair or break the pose.
UNSAFE = ("head-scale", "head-back", "head-trans", "measure", "ear-trans", "neck-trans", "arm", "leg", "foot",
          "hand", "hip", "pelvis", "stomach", "torso", "breast", "bulge", "nipple", "buttocks", "eye-push",
          "eye-trans", "mouth-trans", "nose-trans", "head-angle", "head-age", "eyebrows-angle")  # fmt: skip


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
        return [part.placement.vertices(state) for part in self.parts]


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


def _pick_skin(rng: np.random.Generator, skins: list[str]) -> tuple[str, str]:
    """(skin name, sex); dark and light skins are drawn nearly equally often, though fewer are dark."""
    dark = [s for s in skins if "dark" in s]
    light = [s for s in skins if "light" in s]
    sex = str(rng.choice(["f", "m"]))
    pool = dark if dark and (not light or rng.random() < 0.42) else light
    same = [s for s in pool if ("_female_" in s) == (sex == "f")] or pool
    skin_name = str(rng.choice(same))
    return skin_name, "f" if "_female_" in skin_name else "m"


def _head_hair(
    rng: np.random.Generator, sex: str, colour: np.ndarray, skin: materials.Material
) -> tuple[str, list[Part]]:
    """(style, parts): a hair mesh, a cropped scalp made of shells, or none."""
    draw = rng.random()
    if draw < (0.1 if sex == "m" else 0.015):
        return "bald", []
    if draw < (0.32 if sex == "m" else 0.09):
        length = float(rng.uniform(0.003, 0.014))
        facial_hair.stubble(skin, colour, "scalp", 0.85, rng)
        return "cropped", facial_hair.shells("scalp", length, colour, rng, curl=float(rng.uniform(0, 0.8)))
    styles = [k for k, v in wardrobe.HAIR_STYLES.items() if sex in v]
    weight = np.array([0.4 if s in ("bob02", "short03") else 1.0 for s in styles])  # these two hide an eye
    style = str(rng.choice(styles, p=weight / weight.sum()))
    return style, [wardrobe.hair(style, colour)]


def _beard(rng: np.random.Generator, colour: np.ndarray, skin: materials.Material) -> tuple[str, list[Part]]:
    """(name, parts) of a man's beard: shaven, stubble on the skin, or a grown beard of shells."""
    draw = rng.random()
    if draw < 0.4:
        return "shaven", []
    style = str(rng.choice(["full", "goatee", "moustache"], p=[0.65, 0.2, 0.15]))
    if draw < 0.68:
        facial_hair.stubble(skin, colour * 1.3, style, float(rng.uniform(0.2, 0.7)), rng)
        return f"{style} stubble", []
    facial_hair.stubble(skin, colour, style, 0.8, rng)
    return style, facial_hair.shells(style, float(rng.uniform(0.003, 0.016)), colour, rng)


def _press_hair(part: Part, height: float) -> None:
    """Take away the fringe and the hair above a cap's rim, told by where its strips hang on the template."""
    fit = part.placement.fit
    rest = np.einsum("nk,nki->ni", fit.weights, body().template[fit.reference])[part.faces]
    kept = (rest[..., 1].max(1) < height) & (rest[..., 2].max(1) < 0.11)
    part.faces, part.face_uv = part.faces[kept], part.face_uv[kept]


def _headwear(rng: np.random.Generator, hair: list[Part]) -> tuple[list[str], list[Part], list[Part]]:
    """(names, parts, hair that is left): glasses, and at most one of headphones, earbuds, cap."""
    names, parts = [], []
    if rng.random() < 0.27:
        names.append("glasses")
        parts += headwear.glasses(rng)
    draw = rng.random()
    if draw < 0.12:
        names.append("headphones")
        parts += headwear.headphones(rng)
    elif draw < 0.17:
        names.append("earbuds")
        parts += headwear.earbuds(rng)
    elif draw < 0.25:
        names.append("cap")
        worn, rim = headwear.cap(rng)
        if hair and hair[0].name.startswith("scalp"):
            hair = []
        for part in hair:
            _press_hair(part, rim)
        parts += worn
    return names, parts, [part for part in hair if len(part.faces)]


def sample_person(rng: np.random.Generator, skins: list[str], texels: int = 2048) -> Person:
    """A random identity that wears one of `skins`, its texture `texels` wide."""
    skin_name, sex = _pick_skin(rng, skins)
    tone = float(rng.uniform(0.75, 1.3))
    hue = np.exp(rng.normal(0, 0.035, 3)).astype(np.float32)
    skin = materials.skin(skin_name, tone, hue, float(rng.uniform(0.4, 1.0)), texels)
    skin.roughness = float(rng.uniform(0.42, 0.62))
    outfit, hidden = wardrobe.outfit(str(rng.choice(wardrobe.OUTFITS[sex])), rng)
    faces, uv = wardrobe.base_faces(BODY)
    covered = np.isin(faces, hidden).all(1)
    parts = [Part("skin", faces[~covered], uv[~covered], skin, OnBody(BODY))]
    parts.append(wardrobe.eyes(materials.eye(rng, 0.03 if "dark" in skin_name else 0.45)))
    parts += [*wardrobe.mouth(rng), outfit]
    colour = _hair_colour(rng, skin_name)
    style, hair = _head_hair(rng, sex, colour, skin)
    beard, beard_parts = _beard(rng, colour, skin) if sex == "m" else ("none", [])
    worn, worn_parts, hair = _headwear(rng, hair)
    parts += hair + beard_parts + wardrobe.brows_and_lashes(rng, sex, colour) + worn_parts
    about = {"sex": sex, "skin": skin_name, "tone": tone, "hair": style, "outfit": outfit.name, "beard": beard,
             "worn": " ".join(worn)}  # fmt: skip
    return Person(sex, skin_name, _phenotype(rng, sex, skin_name), _local_changes(rng), parts, Performance(rng), about)
