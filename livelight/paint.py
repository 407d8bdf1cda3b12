"""Colours by name or #rrggbb, as people write them."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

NAMES = {
    "black": "#000000", "white": "#ffffff", "grey": "#808080", "gray": "#808080", "silver": "#c0c0c0",
    "red": "#ff0000", "maroon": "#800000", "orange": "#ffa500", "gold": "#ffd700", "yellow": "#ffff00",
    "green": "#008000", "lime": "#00ff00", "olive": "#808000", "teal": "#008080", "cyan": "#00ffff",
    "blue": "#0000ff", "navy": "#000080", "purple": "#800080", "magenta": "#ff00ff", "pink": "#ffc0cb",
    "brown": "#a52a2a", "beige": "#f5f5dc", "greenscreen": "#00b140", "bluescreen": "#0047bb",
}  # fmt: skip
"""CSS's basic colours and the two of keying screens."""


def parsed_color(text: str) -> NDArray[np.uint8] | None:
    """uint8 (3,) sRGB of a name, #rgb or #rrggbb in any case; None if ``text`` is no colour."""
    code = NAMES.get(text.lower(), text.lower())
    if re.fullmatch("#[0-9a-f]{3}", code):
        code = "#" + "".join(2 * digit for digit in code[1:])
    if not re.fullmatch("#[0-9a-f]{6}", code):
        return None
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
