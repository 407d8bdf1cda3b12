"""Who is in the picture: the person matte, from coarse and jumpy to edge-exact and steady.

A Segmenter sees a small picture and gives a small matte. ``steady`` holds it still where the picture stands still,
``MatteEdges`` ties it to the edges of the frame, so that it can be evaluated at full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.bands import bands_of
from livelight.errors import RuntimeFailure
from livelight.native_noise import native_noise_hidden

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

NOBODY, SOMEBODY = 0.25, 0.85
"""A guided edge below the one is nobody, above the other somebody: what lies outside of a person shows as a halo."""


class Segmenter(Protocol):
    """Finds all persons in one picture, without memory. One thread at a time.

    ``segment`` takes uint8 (h, w, 3) sRGB of any size and gives float32 (h', w') in [0, 1], straight alpha, h' and w'
    the segmenter's own; the array belongs to the caller. Raises RuntimeFailure if the engine fails.
    """

    def segment(self, picture: U8) -> F32: ...


class SelfieSegmenter:
    """MediaPipe's selfie segmenter (Apache-2.0, in livelight/models): 256 x 144, or 256 x 256 for tall pictures.

    Raises RuntimeFailure if MediaPipe cannot start here.
    """

    def __init__(self) -> None:
        try:
            with native_noise_hidden():
                import mediapipe
                from mediapipe.tasks.python import BaseOptions, vision
        except (ImportError, OSError) as exc:  # OSError: a shared library such as libGLESv2 is absent
            raise RuntimeFailure(
                f"MediaPipe does not start here ({exc}); expected the packages libgl1, libegl1 and libgles2 of your "
                "system: install them and try again"
            ) from exc
        self._mp, self._vision, self._base_options = mediapipe, vision, BaseOptions
        self._by_size: dict[tuple[int, int], Any] = {}

    def segment(self, picture: U8) -> F32:
        wide = picture.shape[1] > 1.2 * picture.shape[0]
        size = (256, 144) if wide else (256, 256)
        if size not in self._by_size:
            self._by_size[size] = self._open("selfie_segmentation_landscape" if wide else "selfie_segmentation")
        small = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
        image = self._mp.Image(image_format=self._mp.ImageFormat.SRGB, data=small)
        try:
            result = self._by_size[size].segment(image)
        except RuntimeError as exc:
            raise RuntimeFailure(f"MediaPipe failed in the person matte ({exc})") from exc
        matte = without_doubtful_islands(result.confidence_masks[0].numpy_view().reshape(size[1], size[0]))
        # Half-sure places are mostly things in the room: ask for more than half, without moving the sure edge.
        return np.asarray(np.clip((matte - 0.3) * np.float32(1 / 0.6), 0.0, 1.0))

    def _open(self, name: str) -> Any:
        options = self._vision.ImageSegmenterOptions(
            base_options=self._base_options(model_asset_path=str(files("livelight") / "models" / f"{name}.tflite")),
            running_mode=self._vision.RunningMode.IMAGE,
            output_confidence_masks=True,
        )

        class Segmenter(self._vision.ImageSegmenter):  # type: ignore[name-defined]
            def __del__(self) -> None:
                """Nothing: MediaPipe's own destructor raises when the interpreter shuts down; the process frees all."""

        with native_noise_hidden():
            return Segmenter.create_from_options(options)


def without_doubtful_islands(matte: F32) -> F32:
    """Drop what stands apart from the largest person, is small beside it, and is not surely a person.

    matte: float32 (h, w), confidence in [0, 1]. A second person is large, a raised hand is sure; a cushion is neither.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((matte > 0.5).astype(np.uint8))
    if count < 3:
        return matte
    areas = stats[1:, cv2.CC_STAT_AREA]
    doubtful = [
        k + 1 for k in range(count - 1) if areas[k] < 0.25 * areas.max() and matte[labels == k + 1].mean() < 0.9
    ]
    if not doubtful:
        return matte
    islands = cv2.dilate(np.isin(labels, doubtful).astype(np.uint8), np.ones((7, 7), np.uint8))
    islands[(labels > 0) & ~np.isin(labels, doubtful)] = 0
    return np.where(islands > 0, np.float32(0), matte)


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
        from livelight.tiles import alpha_rows  # compiles

        if picture.shape != (*alpha.shape, 3):
            raise ValueError(f"picture and alpha are of the sizes {picture.shape} and {alpha.shape}; expected one")
        steeper = np.float32(1 / (SOMEBODY - NOBODY))
        slope, base = self.slope * (steeper / 255), (self.base - np.float32(NOBODY)) * steeper
        picture = np.ascontiguousarray(picture)
        for rows in bands_of(*alpha.shape):
            alpha_rows(picture, slope, base, rows.start, rows.stop, alpha)
