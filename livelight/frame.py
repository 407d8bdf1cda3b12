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
    """

    image: NDArray[np.uint8]
    pts: int
    time_base: Fraction
    captured_s: float

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

    def with_image(self, image: NDArray[np.uint8]) -> Frame:
        """The same moment with another picture."""
        return replace(self, image=image)
