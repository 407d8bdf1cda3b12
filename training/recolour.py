"""Rendered people in other colours: skin of any tone that people have, clothes of any dye."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.light_stage.footage import CLOTHES, SKIN, WHITEST

F32 = NDArray[np.float32]

DARKEST, LIGHTEST = 0.05, 0.65
"""Linear albedo of skin, mean of the colours."""
LESS, MORE = 0.5, 1.6
"""How many times its pigment a skin gets: with less or more, freckles and lips are no longer a person's."""
SKIN_COLOUR = np.array([[-0.117, 0.565, 0.097], [0.060, 1.241, 0.020], [0.189, 1.681, 0.019]])
"""Logarithm of the linear albedo of skin in red, green and blue: a quadratic in the logarithm of their mean, highest
power first. Fitted to the medians of the scanned and painted skins of the train split; 0.04, 0.04 and 0.08 off. One
power for all colours would make light skin grey and dark skin orange."""
BLACKEST = 0.02
"""Linear albedo of the darkest dyed cloth, in each colour: below it no shading is told (training.pixels)."""
MOST_DYE = 6.0
"""How many times its albedo a cloth gets at most: a dark one's gloss in the hard beams is brightened with it."""


def pigment(arrays: dict[str, NDArray[np.generic]], rng: np.random.Generator) -> F32 | None:
    """A melanin for ``Footage`` (3,) that brings the skin of a clip to a random tone, in colours that people have."""
    skin = arrays["albedo"][arrays["label"] == SKIN].astype(np.float32)
    if len(skin) == 0:
        return None
    mean = np.log(float(np.median(skin.mean(1)).clip(DARKEST, LIGHTEST)))
    # Even in lightness: even in the logarithm, half of all people would be darker than 0.17.
    tone = np.log(rng.uniform(DARKEST ** (1 / 3), LIGHTEST ** (1 / 3)) ** 3)
    wanted = float(np.clip(tone, MORE * mean, LESS * mean))
    return np.asarray(skin_colour(wanted) / skin_colour(mean), np.float32)


def skin_colour(mean: float) -> NDArray[np.float64]:
    """Logarithm of the albedo of skin (3,) by that of their mean; see ``SKIN_COLOUR``."""
    return SKIN_COLOUR @ [mean**2, mean, 1.0]


def dye(arrays: dict[str, NDArray[np.generic]], rng: np.random.Generator) -> F32 | None:
    """A dye for ``Footage`` (3,) that brings a clip's clothes to a random colour, grey to as vivid as cloth is."""
    cloth = arrays["albedo"][arrays["label"] == CLOTHES].astype(np.float32)
    if len(cloth) == 0:
        return None
    hue = 0.5 + 0.5 * np.cos(2 * np.pi * (rng.random() + np.arange(3) / 3))
    colour = 1 + rng.random() * (hue / hue.max() - 1)
    level = rng.uniform(BLACKEST ** (1 / 3), WHITEST ** (1 / 3)) ** 3
    wanted = np.clip(colour / colour.mean() * level, BLACKEST, WHITEST)
    return np.asarray(np.minimum(wanted / np.maximum(np.median(cloth, axis=0), 0.005), MOST_DYE), np.float32)
