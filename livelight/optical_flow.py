"""Motion between two pictures, and where it can be trusted."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


def backward_flow(before: U8, after: U8) -> tuple[F32, F32]:
    """From each pixel of ``after`` to where it was in ``before``: flow (h, w, 2) pixels, and seen (h, w), 0 or 1.

    DIS optical flow (Kroeger et al. 2016) on uint8 (h, w, 3) sRGB. seen: forward and backward flow agree (Sundaram et
    al. 2010), so the point is in both pictures.
    """
    a, b = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (before, after))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    backward, forward = dis.calc(b, a, None), dis.calc(a, b, None)
    h, w = a.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    there = cv2.remap(forward, x + backward[..., 0], y + backward[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    round_trip = ((backward + there) ** 2).sum(2)
    lengths = (backward**2).sum(2) + (there**2).sum(2)
    return np.asarray(backward, np.float32), (round_trip < 0.01 * lengths + 0.5).astype(np.float32)
