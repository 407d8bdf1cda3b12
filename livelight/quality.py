"""The levels by which a relighter trades quality for speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

FULL_AREA = 256 * 256
"""Pixels of the picture that the matte is made on, and that the network sees on GPUs and beside diffusion, about."""

FAST_AREA = 46_080
"""Pixels that the network sees on CPUs, about: 288 x 160 of a 16:9 frame. Its card has both in figures."""


@dataclass(frozen=True, slots=True)
class Quality:
    """One level. matte_every: the person is segmented on every so many-th frame; between, the last matte follows the
    edges of the new frame. area: pixels of the network's picture, about; grows: more of them where the person is far
    off (livelight.distance)."""

    name: str
    matte_every: int
    area: int
    grows: bool = False


LEVELS = (
    Quality("full", 1, FAST_AREA, grows=True),
    Quality("matte every 2nd frame", 2, FAST_AREA),
    Quality("matte every 2nd frame, network at 60 %", 2, FAST_AREA * 6 // 10),
    Quality("matte every 3rd frame, network at 36 %", 3, FAST_AREA * 36 // 100),
)
"""From best to fastest."""

UNHURRIED = (Quality("full", 1, FULL_AREA),)
"""The one level of what need not keep up with a camera."""


class Adjustable(Protocol):
    """A relighter with levels. One thread, between two steps; states stay usable across levels."""

    @property
    def level_names(self) -> tuple[str, ...]:
        """From best to fastest; one name alone if there is nothing to choose."""
        ...

    def set_level(self, level: int) -> None:
        """0 is the best; a number past the fastest means the fastest."""
        ...
