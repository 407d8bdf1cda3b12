"""A frame brought to another size."""

from __future__ import annotations

import cv2
import numpy as np

from livelight.frame import Frame


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
