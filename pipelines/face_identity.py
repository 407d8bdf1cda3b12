"""Who a face belongs to, as a vector: dlib's recogniser, optional (extra ``identity``)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelight.errors import MissingExtra


class FaceIdentity:
    """Embeds the largest face of a picture. Raises MissingExtra if dlib or its models are not installed."""

    def __init__(self) -> None:
        try:
            import dlib
        except ImportError as exc:
            raise MissingExtra("dlib-bin", "identity", "the identity metric") from exc
        spec = find_spec("face_recognition_models")
        if spec is None or not spec.submodule_search_locations:
            raise MissingExtra("face_recognition_models", "identity", "the identity metric")
        models = Path(spec.submodule_search_locations[0]) / "models"
        self._find: Any = dlib.get_frontal_face_detector()
        self._points: Any = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self._embed: Any = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def of(self, picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """The face's vector (128,) of a uint8 (h, w, 3) sRGB picture, or None where no face is found."""
        picture = np.ascontiguousarray(picture)
        faces = self._find(picture, 1)
        if not faces:
            return None
        face = max(faces, key=lambda box: box.area())
        return np.asarray(self._embed.compute_face_descriptor(picture, self._points(picture, face)))


def likeness(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Cosine of two vectors: 1 the same; dlib calls two faces one person above about 0.9."""
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
