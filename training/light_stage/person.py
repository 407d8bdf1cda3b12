"""A person: identity sampled by seed, dressed in parts that follow Anny's body."""

from dataclasses import dataclass, field, replace

import numpy as np

from training.light_stage import eyes, facial_hair, headwear, ict, materials, skin, wardrobe
from training.light_stage.balance import Wish
from training.light_stage.body import BODY, BodyState, body
from training.light_stage.ict_carry import carried
from training.light_stage.motion import Performance
from training.light_stage.part import Part
from training.light_stage.placement import OnBody
from training.light_stage.strays import strays

# Local changes that would spoil the head's fit to hair or break the pose.
UNSAFE = ("head-scale", "head-back", "head-trans", "measure", "ear-trans", "neck-trans", "arm", "leg", "foot",
          "hand", "hip", "pelvis", "stomach", "torso", "breast", "bulge", "nipple", "buttocks", "eye-push",
          "eye-trans", "mouth-trans", "nose-trans", "head-angle", "head-age", "eyebrows-angle")  # fmt: skip
ICT_SHARE = 0.5  # of people, whose face is ICT's on top of a milder Anny one
ICT_SIZE, MILDER = 0.8, 0.6


@dataclass
class Person:
    """One identity: phenotype and local changes of Anny, parts, and how it moves.

    face: coefficients (100,) of ICT-FaceKit's identity modes, or None.
    """

    sex: str
    skin_name: str
    phenotype: dict[str, float]
    local: dict[str, float]
    parts: list[Part]
    performance: Performance
    about: dict[str, object] = field(default_factory=dict)
    face: np.ndarray | None = None

    def state(self, t: float) -> BodyState:
        """The body at time t in seconds."""
        return self.model_state(self.performance.expression(t), self.performance.rotation(t))

    def model_state(self, expression: dict[str, float], rotation: dict[str, np.ndarray]) -> BodyState:
        """The body with given face units and bone rotations (see Body.state)."""
        state = body().state(self.phenotype, self.local, expression, rotation)
        return state if self.face is None else carried().shaped(state, self.face)

    def vertices(self, state: BodyState) -> list[np.ndarray]:
        """Posed vertices (n, 3) float32 of each part, in the body frame, metres."""
        return [part.placement.vertices(state) for part in self.parts]


def sample_phenotype(rng: np.random.Generator, sex: str, skin_name: str, ita_deg: float) -> dict[str, float]:
    """Anny's phenotype, each in [0, 1], that goes with a sex, a skin's age and its tone."""
    age = {"young": rng.uniform(0.42, 0.62), "middleage": rng.uniform(0.6, 0.8), "old": rng.uniform(0.8, 1.0)}
    ancestry = rng.dirichlet([0.5, 0.5, 0.5])
    african = float(np.interp(ita_deg, [-40, 5, 40], [0.7, 0.3, 0.0]))
    if ita_deg > 25 and ancestry[0] > 0.4:
        ancestry = ancestry[[1, 0, 2]]
    ancestry = (1 - african) * ancestry + african * np.array([1.0, 0, 0])
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


def sample_local_changes(rng: np.random.Generator) -> dict[str, float]:
    """Strengths in [-0.7, 0.7] of Anny's local changes, nearly the same left and right."""
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


def random_shape(rng: np.random.Generator, skins: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """(phenotype, local changes) as people of `skins` have them, without the cost of dressing anybody."""
    skin_name, sex, ita_deg = _pick_skin(rng, skins)
    return sample_phenotype(rng, sex, skin_name, ita_deg), sample_local_changes(rng)


def ict_face(rng: np.random.Generator) -> np.ndarray:
    """(100,) random coefficients of ICT's identity modes."""
    return ICT_SIZE * np.clip(rng.normal(0, 1, ict.MODES), -2, 2)


def with_face(person: Person, face: np.ndarray) -> Person:
    """The same person with an ICT face (100,), and with Anny's own local changes made milder."""
    local = {name: MILDER * value for name, value in person.local.items()}
    return replace(person, local=local, face=face, about=person.about | {"face": "ICT"})


def _hair_colour(rng: np.random.Generator, skin_name: str, ita_deg: float) -> np.ndarray:
    weights = np.array([2, 2, 2, 1.5, 1.2, 1, 0.8, 0.5, 0.3, 0.1])
    if ita_deg < 20:
        weights = np.array([5, 4, 2, 0.6, 0.2, 0.1, 0.1, 0.1, 0.4, 0.1])
    if "old" in skin_name:
        weights = np.array([0.7, 0.7, 0.7, 0.5, 0.4, 0.4, 0.4, 0.1, 3, 3])
    colour = materials.HAIR_COLOURS[rng.choice(10, p=weights / weights.sum())]
    if rng.random() < 0.04:
        colour = rng.uniform(0.03, 0.4, 3).astype(np.float32)
    return colour * np.exp(rng.normal(0, 0.15)).astype(np.float32)


def _pick_skin(rng: np.random.Generator, skins: list[str], wish: Wish | None = None) -> tuple[str, str, float]:
    """(skin name, sex, tone as ITA in degrees): as wished, or both drawn; the sex is kept if a texture allows it."""
    ita_deg = float(rng.uniform(wish.low_deg, wish.high_deg)) if wish else skin.draw_ita(rng)
    sex = wish.sex if wish else str(rng.choice(["f", "m"]))
    pool = skin.fitting(skins, ita_deg)
    same = [s for s in pool if ("_female_" in s) == (sex == "f")]
    skin_name = str(rng.choice(same or pool))
    return skin_name, "f" if "_female_" in skin_name else "m", ita_deg


def _head_hair(
    rng: np.random.Generator, sex: str, colour: np.ndarray, hide: materials.Material
) -> tuple[str, list[Part]]:
    """(style, parts): a hair mesh, a cropped scalp made of shells, or none."""
    draw = rng.random()
    if draw < (0.1 if sex == "m" else 0.015):
        return "bald", []
    if draw < (0.32 if sex == "m" else 0.09):
        length = float(rng.uniform(0.003, 0.014))
        facial_hair.stubble(hide, colour, "scalp", 0.85, rng, dense=True)
        return "cropped", facial_hair.shells("scalp", length, colour, rng, curl=float(rng.uniform(0, 0.5)))
    styles = [k for k, v in wardrobe.HAIR_STYLES.items() if sex in v]
    weight = np.array([0.4 if s in ("bob02", "short03") else 1.0 for s in styles])  # these two hide an eye
    style = str(rng.choice(styles, p=weight / weight.sum()))
    return style, [wardrobe.hair(style, colour)]


def _beard(rng: np.random.Generator, colour: np.ndarray, hide: materials.Material) -> tuple[str, list[Part]]:
    """(name, parts) of a man's beard: shaven, stubble on the skin, or a grown beard of shells."""
    draw = rng.random()
    if draw < 0.4:
        return "shaven", []
    style = str(rng.choice(["full", "goatee", "moustache"], p=[0.65, 0.2, 0.15]))
    if draw < 0.68:
        facial_hair.stubble(hide, colour * 1.3, style, float(rng.uniform(0.2, 0.7)), rng)
        return f"{style} stubble", []
    facial_hair.stubble(hide, colour, style, 0.85, rng, dense=True)
    return style, facial_hair.shells(style, float(rng.uniform(0.003, 0.011)), colour, rng)


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


def sample_person(
    rng: np.random.Generator, skins: list[str], texels: int = 2048, ict_share: float = ICT_SHARE,
    wish: Wish | None = None,
) -> Person:  # fmt: skip
    """A random identity that wears one of `skins`, its texture `texels` wide; ict_share: chance of an ICT face;
    wish: which sex and tone.

    ICT's draws have a stream of their own: all else of a person is the same with and without.
    """
    own = rng.spawn(1)[0]
    person = _sample_anny(rng, skins, texels, wish)
    has_ict = own.random() < ict_share and ict.available()
    return with_face(person, ict_face(own)) if has_ict else person


def _sample_anny(rng: np.random.Generator, skins: list[str], texels: int, wish: Wish | None) -> Person:
    skin_name, sex, ita_deg = _pick_skin(rng, skins, wish)
    hide = skin.material(skin_name, skin.colour_of(ita_deg, rng), np.random.default_rng(rng.integers(2**31)), texels)
    outfit, hidden = wardrobe.outfit(wardrobe.pick_outfit(rng, sex), rng)
    faces, uv = wardrobe.base_faces(BODY)
    covered = np.isin(faces, hidden).all(1)
    parts = [Part("skin", faces[~covered], uv[~covered], hide, OnBody(BODY))]
    parts.append(eyes.eyes(eyes.material(rng, 0.03 if ita_deg < 20 else 0.45)))
    parts += [*wardrobe.mouth(rng), outfit]
    colour = _hair_colour(rng, skin_name, ita_deg)
    style, hair = _head_hair(rng, sex, colour, hide)
    beard, beard_parts = _beard(rng, colour, hide) if sex == "m" else ("none", [])
    worn, worn_parts, hair = _headwear(rng, hair)
    stray = [layer for part in hair if (layer := strays(part, rng))]
    parts += hair + stray + beard_parts + wardrobe.brows_and_lashes(rng, sex, colour) + worn_parts
    about = {"sex": sex, "skin": skin_name, "ita_deg": round(ita_deg, 1), "hair": style, "outfit": outfit.name,
             "beard": beard, "worn": " ".join(worn), "face": "Anny"}  # fmt: skip
    phenotype = sample_phenotype(rng, sex, skin_name, ita_deg)
    return Person(sex, skin_name, phenotype, sample_local_changes(rng), parts, Performance(rng), about)
