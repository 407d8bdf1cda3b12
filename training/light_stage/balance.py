"""Sexes and skin tones dealt like cards, so that a few dozen clips already hold all of them, equally often."""

from dataclasses import dataclass

import numpy as np

from training.light_stage.skin import TONES_DEG

SEXES = "fm"
BLOCK = len(SEXES) * (len(TONES_DEG) - 1)
"""Clips of consecutive seeds that hold each sex with each tone once."""


@dataclass(frozen=True)
class Wish:
    """What a clip's first person should be: sex 'f' or 'm', skin tone as ITA within [low, high) degrees."""

    sex: str
    low_deg: float
    high_deg: float


def wish_of(seed: int) -> Wish:
    """The wish of a clip's seed: BLOCK consecutive seeds from a multiple of BLOCK on are one shuffled deck."""
    block, place = divmod(seed, BLOCK)
    card = int(np.random.default_rng([block, BLOCK]).permutation(BLOCK)[place])
    tone, sex = divmod(card, len(SEXES))
    return Wish(SEXES[sex], TONES_DEG[tone], TONES_DEG[tone + 1])
