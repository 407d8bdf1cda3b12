"""One picture with its time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and its time; both survive from source to sink.

    image: uint8 (h, w, 3), RGB, sRGB full range, C-contiguous. The holder of a Frame must not write into it.
    pts, time_base: presentation time is ``pts * time_base`` seconds on the source's own clock.
    captured_s: monotonic clock (``time.monotonic``) in seconds when the picture was taken or decoded.
    duration: how long it is to be shown, in ``time_base``; 0 where nobody knows, as of a camera.
    planes: None, or the same picture as I420, uint8 (3 h / 2, w), even sides: luma rows, then U, then V at half size;
    limited range, with the matrix of ``luma_weights``. A GPU makes it on the way; an encoder need not convert then.
    """

    image: NDArray[np.uint8]
    pts: int
    time_base: Fraction
    captured_s: float
    planes: NDArray[np.uint8] | None = None
    duration: int = 0

    def __post_init__(self) -> None:
        image = self.image
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"Frame.image must be uint8 (h, w, 3), got {image.dtype} {image.shape}")

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    @property
    def time_s(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)

    def with_image(self, image: NDArray[np.uint8], planes: NDArray[np.uint8] | None = None) -> Frame:
        """The same moment with another picture."""
        return replace(self, image=image, planes=planes)


def luma_weights(width: int, height: int) -> tuple[float, float]:
    """(kr, kb) of the YUV matrix that an untagged picture of this size has: Rec.709 from 1280 columns or 577 lines."""
    return (0.2126, 0.0722) if width >= 1280 or height > 576 else (0.299, 0.114)
