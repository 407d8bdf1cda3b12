"""The same segmenter run by MediaPipe itself (extra ``mediapipe``)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import MissingExtra, RuntimeFailure
from livelight.native_noise import native_noise_hidden
from livelight.segmenters.selfie import NAMES, model_file, size_for, surer


class MediaPipeSegmenter:
    """A livelight.segment.Segmenter. Raises MissingExtra without the package, RuntimeFailure if it cannot start."""

    def __init__(self) -> None:
        try:
            with native_noise_hidden():
                import mediapipe
                from mediapipe.tasks.python import BaseOptions, vision
        except ModuleNotFoundError as exc:
            raise MissingExtra("mediapipe", "mediapipe", "The segmenter mediapipe") from exc
        except (ImportError, OSError) as exc:  # OSError: a shared library such as libGLESv2 is absent
            raise RuntimeFailure(
                f"MediaPipe does not start here ({exc}); expected the packages libgl1, libegl1 and libgles2 of your "
                "system: install them, or take --segmenter onnx, which needs none of them"
            ) from exc
        self._mp, self._vision, self._base_options = mediapipe, vision, BaseOptions
        self._by_size: dict[tuple[int, int], Any] = {}

    def segment(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = size_for(picture)
        if size not in self._by_size:
            self._by_size[size] = self._open(NAMES[size])
        small = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
        image = self._mp.Image(image_format=self._mp.ImageFormat.SRGB, data=small)
        try:
            result = self._by_size[size].segment(image)
        except RuntimeError as exc:
            raise RuntimeFailure(f"MediaPipe failed in the person matte ({exc})") from exc
        return surer(result.confidence_masks[0].numpy_view().reshape(size[1], size[0]))

    def _open(self, name: str) -> Any:
        options = self._vision.ImageSegmenterOptions(
            base_options=self._base_options(model_asset_path=str(model_file(f"{name}.tflite"))),
            running_mode=self._vision.RunningMode.IMAGE,
            output_confidence_masks=True,
        )

        class Segmenter(self._vision.ImageSegmenter):  # type: ignore[name-defined]
            def __del__(self) -> None:
                """Nothing: MediaPipe's own destructor raises when the interpreter shuts down; the process frees all."""

        with native_noise_hidden():
            return Segmenter.create_from_options(options)
