"""MediaPipe's selfie segmenter as ONNX, run by our own engines; and what is done to its answer."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.runtimes.picture_network import PictureNetwork, open_picture_network

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

WIDE, SQUARE = (256, 144), (256, 256)
"""(width, height) of the pictures of the two networks."""

NAMES = {WIDE: "selfie_segmentation_landscape", SQUARE: "selfie_segmentation"}


class SelfieSegmenter:
    """A livelight.segment.Segmenter: 256 x 144, or 256 x 256 for tall pictures, one thread.

    engine: "openvino", "onnxruntime" or "auto". Loads its network for wide pictures at once, the other when it is
    needed. Raises RuntimeFailure or MissingExtra (livelight.runtimes.picture_network).
    """

    def __init__(self, engine: str = "auto") -> None:
        self._engine = engine
        self._networks: dict[tuple[int, int], PictureNetwork] = {WIDE: self._open(WIDE)}

    def segment(self, picture: U8) -> F32:
        size = size_for(picture)
        if size not in self._networks:
            self._networks[size] = self._open(size)
        small = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
        return surer(self._networks[size].run(small))

    def _open(self, size: tuple[int, int]) -> PictureNetwork:
        return open_picture_network(self._engine, model_file(f"{NAMES[size]}.onnx"))


def model_file(name: str) -> Path:
    """A file of livelight/models."""
    return Path(str(files("livelight") / "models" / name))


def size_for(picture: U8) -> tuple[int, int]:
    """WIDE or SQUARE, whichever fits the picture (h, w, 3)."""
    return WIDE if picture.shape[1] > 1.2 * picture.shape[0] else SQUARE


def surer(confidence: F32) -> F32:
    """The matte, float32 (h, w) in [0, 1], from the network's confidence; a new array.

    Half-sure places are mostly things in the room: ask for more than half, without moving the sure edge.
    """
    matte = without_doubtful_islands(confidence)
    return np.asarray(np.clip((matte - np.float32(0.3)) * np.float32(1 / 0.6), 0.0, 1.0))


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
