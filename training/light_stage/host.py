"""The demo's speaker, cast by hand from the parts that all are made of: brown hair, a day's beard, a plain shirt."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from training.light_stage import eyes, facial_hair, materials, skin, wardrobe
from training.light_stage.body import BODY
from training.light_stage.motion import Performance
from training.light_stage.part import Part
from training.light_stage.person import Person, sample_local_changes, sample_phenotype
from training.light_stage.placement import OnBody, Shifted
from training.light_stage.strays import strays

SEED = 42
SKIN, ITA_DEG = "middleage_lightskinned_male_diffuse2", 36.0
HAIR, HAIR_COLOUR = "short02", np.float32([0.034, 0.02, 0.013])
SHIRT, SHIRT_COLOUR = "male_casualsuit03", np.float32([0.085, 0.125, 0.165])
BROWS = 10
UPPER_PIECES = (17, 33)  # of the teeth's mesh: 0 the gums, 1 to 16 the lower teeth, then the upper

UPPER_TEETH_M, TONGUE_M = np.array([0.0, -0.0042, 0.001]), np.array([0.0, -0.012, -0.012])
"""Where a talking mouth shows them: the template's upper teeth hide behind the lip, its tongue fills the mouth."""


def _mouth(rng: np.random.Generator) -> list[Part]:
    """The upper row of teeth without gums, and a dark tongue that lies low: what a talking mouth shows."""
    teeth, tongue = wardrobe.mouth(rng)
    count = int(teeth.faces.max()) + 1
    edges = np.concatenate([teeth.faces[:, :2], teeth.faces[:, 1:]])
    graph = coo_matrix((np.ones(len(edges)), tuple(edges.T)), (count, count))
    piece = connected_components(graph, directed=False)[1]
    upper = np.isin(piece[teeth.faces[:, 0]], range(*UPPER_PIECES))
    teeth.faces, teeth.face_uv = teeth.faces[upper], teeth.face_uv[upper]
    teeth.placement, tongue.placement = Shifted(teeth.placement, UPPER_TEETH_M), Shifted(tongue.placement, TONGUE_M)
    tongue.material.texture[..., :3] *= 0.5
    return [teeth, tongue]


def _performance() -> Performance:
    """Faces the camera, looks at it, calm and friendly; no gestures, and no lower lids drawn up."""
    out = Performance(np.random.default_rng(SEED))
    out.facing, out.torso, out.gaze = np.array([0.02, 0.07, 0.015]), np.array([0.0, 0.05, 0.0]), np.zeros(2)
    out.meets = True
    out.loud, out.smile, out.gestures, out.lids = 0.0, 0.32, [], 0.08
    out.mood = dict.fromkeys(out.mood, 0.0) | {"browInnerUp": 0.12}
    return out


def host() -> Person:
    """The speaker; the same at every call."""
    rng = np.random.default_rng([SEED, 7])
    hide = skin.material(SKIN, skin.colour_of(ITA_DEG, rng), rng)
    shirt, hidden = wardrobe.outfit(SHIRT, np.random.default_rng(SEED), SHIRT_COLOUR)
    materials.creased(shirt.material, rng)
    faces, uv = wardrobe.base_faces(BODY)
    covered = np.isin(faces, hidden).all(1)
    facial_hair.stubble(hide, 1.3 * HAIR_COLOUR, "full", 0.4, rng)
    hair = wardrobe.hair(HAIR, HAIR_COLOUR)
    stray = strays(hair, rng)
    parts = [
        Part("skin", faces[~covered], uv[~covered], hide, OnBody(BODY)),
        eyes.eyes(eyes.material(rng, 0.2)),
        *_mouth(rng),
        shirt,
        hair,
        *([stray] if stray else []),
        *wardrobe.brows_and_lashes(rng, "m", HAIR_COLOUR, BROWS),
    ]
    phenotype = sample_phenotype(np.random.default_rng([SEED, 1]), "m", SKIN, 30.0) | {"age": 0.62, "weight": 0.5}
    local = sample_local_changes(np.random.default_rng([SEED, 2]))
    return Person("m", SKIN, phenotype, local, parts, _performance())
