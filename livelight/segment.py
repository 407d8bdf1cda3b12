"""Who is in the picture: the person matte, from coarse and jumpy to edge-exact and steady.

A Segmenter sees a small picture and gives a small matte. ``steady`` holds it still where the picture stands still,
``MatteEdges`` ties it to the edges of the frame, so that it can be evaluated at full resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.bands import bands_of

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

NOBODY, SOMEBODY = 0.25, 0.85
"""A guided edge below the one is nobody, above the other somebody: what lies outside of a person shows as a halo."""


class Segmenter(Protocol):
    """Finds all persons in one picture, without memory. One thread at a time.

    ``segment`` takes uint8 (h, w, 3) sRGB of any size and gives float32 (h', w') in [0, 1], straight alpha, h' and w'
    the segmenter's own; the array belongs to the caller. Raises RuntimeFailure if the engine fails. Those that there
    are: livelight.segmenters.
    """

    def segment(self, picture: U8) -> F32: ...


@dataclass(frozen=True, slots=True)
class MatteState:
    """The last steady matte, float32 (h, w) in [0, 1], and the luma it was seen on, float32 (h, w) in [0, 1]."""

    matte: F32
    luma: F32


def steady(matte: F32, luma: F32, state: MatteState | None) -> tuple[F32, MatteState]:
    """Average the matte over time where neither picture nor matte moved.

    matte, luma: float32 (h, w) in [0, 1]; luma on the matte's grid. A pixel whose luma changed by 6 % or whose matte
    changed by half takes its new value at once, so that nothing trails behind a moving person; a still one moves by a
    quarter of the way per frame.
    """
    if state is None or state.matte.shape != matte.shape:
        return matte, MatteState(matte, luma)
    moved = cv2.boxFilter(np.abs(luma - state.luma), -1, (5, 5)) * np.float32(1 / 0.06)
    jumped = np.abs(matte - state.matte) * 2
    rate = np.clip(np.maximum(moved, jumped), 0.25, 1.0)
    matte = state.matte + rate * (matte - state.matte)
    return matte, MatteState(matte, luma)


@dataclass(frozen=True, slots=True)
class MatteEdges:
    """A matte as a local linear function of luma: alpha = slope * luma + base (He et al., Guided Image Filtering).

    slope, base: float32 (h, w) on a small grid; ``at`` evaluates them on a full-resolution luma.
    """

    slope: F32
    base: F32

    @classmethod
    def fit(cls, matte: F32, luma: F32, radius: int = 2, eps: float = 1e-3) -> MatteEdges:
        """Fit on a small grid: matte and luma float32 (h, w) in [0, 1]. eps: luma variance below which edges blur."""
        size = (2 * radius + 1, 2 * radius + 1)

        def mean(x: F32) -> F32:
            return np.asarray(cv2.boxFilter(x, -1, size, borderType=cv2.BORDER_REPLICATE))

        m_luma, m_matte = mean(luma), mean(matte)
        covariance = mean(luma * matte) - m_luma * m_matte
        slope = np.asarray(covariance / (mean(luma * luma) - m_luma * m_luma + eps), np.float32)
        return cls(mean(slope), mean(np.asarray(m_matte - slope * m_luma, np.float32)))

    def at(self, picture: U8, alpha: F32) -> None:
        """Write alpha, float32 (h, w) in [0, 1], of a full-resolution picture, uint8 (h, w, 3) sRGB."""
        write = self.writer(picture, alpha)
        for rows in bands_of(*alpha.shape):
            write(rows)

    def writer(self, picture: U8, alpha: F32) -> Callable[[slice], None]:
        """What writes alpha as ``at``, in the rows that it is called with. Any thread; other rows at the same time."""
        from livelight.tiles import alpha_rows  # compiles

        if picture.shape != (*alpha.shape, 3):
            raise ValueError(f"picture and alpha are of the sizes {picture.shape} and {alpha.shape}; expected one")
        steeper = np.float32(1 / (SOMEBODY - NOBODY))
        slope, base = self.slope * (steeper / 255), (self.base - np.float32(NOBODY)) * steeper
        picture = np.ascontiguousarray(picture)
        return lambda rows: alpha_rows(picture, slope, base, rows.start, rows.stop, alpha)
