"""The picture that a virtual camera shows while there is nothing to show."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

_TOP, _BOTTOM = np.array([46, 52, 64], np.float32), np.array([18, 20, 26], np.float32)
_INK = (214, 219, 230)


@lru_cache(maxsize=8)
def standby_picture(width: int, height: int, sentence: str) -> NDArray[np.uint8]:
    """uint8 (height, width, 3) sRGB: a dark slide with "LiveLight" and one short ``sentence`` below. Do not write."""
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture = np.broadcast_to(_TOP * (1 - ramp) + _BOTTOM * ramp, (height, width, 3)).astype(np.uint8, order="C")
    _centred(picture, "LiveLight", 0.46, 0.11)
    _centred(picture, sentence, 0.60, 0.05)
    picture.setflags(write=False)
    return picture


def _centred(picture: NDArray[np.uint8], text: str, at: float, size: float) -> None:
    """Write ``text`` in the middle, its foot at the part ``at`` of the height, capitals ``size`` of it high."""
    height, width = picture.shape[:2]
    font = cv2.FONT_HERSHEY_SIMPLEX
    thickness = max(1, round(size * height / 16))
    scale = size * height / 22  # capitals of this font are 22 pixels high at scale 1
    (length, _), _ = cv2.getTextSize(text, font, scale, thickness)
    scale *= min(1.0, 0.9 * width / max(length, 1))
    (length, _), _ = cv2.getTextSize(text, font, scale, thickness)
    cv2.putText(picture, text, ((width - length) // 2, round(at * height)), font, scale, _INK, thickness, cv2.LINE_AA)
