"""Picture sizes: read from text, and a frame brought to one."""

from __future__ import annotations

import cv2
import numpy as np

from livelight.errors import SettingsError
from livelight.frame import Frame

LONGEST_SIDE = 8192
"""Pixels of a side: larger pictures come from typing errors, and would fill the memory."""


def parse_size(text: str) -> tuple[int, int]:
    """ "1280x720" -> (1280, 720); raises SettingsError."""
    parts = text.lower().split("x")
    if len(parts) == 2 and all(p.isdecimal() and 0 < int(p) <= LONGEST_SIDE for p in parts):
        return int(parts[0]), int(parts[1])
    raise SettingsError(
        f"A size is WIDTHxHEIGHT in pixels, like 1280x720, at most {LONGEST_SIDE} a side; got {text!r}."
    )


def fitted(frame: Frame, width: int, height: int) -> Frame:
    """The frame scaled to fill width x height, its shape kept: what stands over at two sides is cut off evenly."""
    if (frame.width, frame.height) == (width, height):
        return frame
    scale = max(width / frame.width, height / frame.height)
    w, h = min(round(width / scale), frame.width), min(round(height / scale), frame.height)
    x, y = (frame.width - w) // 2, (frame.height - h) // 2
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.resize(frame.image[y : y + h, x : x + w], (width, height), interpolation=how)
    return frame.with_image(np.ascontiguousarray(part))
