"""A network that sees one picture, without light or memory, and gives one small map: on one thread, beside the rest."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from livelight.errors import LiveLightError, MissingExtra, RuntimeFailure, last_line

F32 = NDArray[np.float32]
ENGINES = ("openvino", "onnxruntime")

log = logging.getLogger(__name__)


class PictureNetwork(Protocol):
    """One .onnx file, loaded. One thread at a time."""

    def run(self, picture: NDArray[np.uint8]) -> F32:
        """picture: uint8 (h, w, 3) sRGB, of the size of the file. Returns float32 (h, w), valid until the next call.

        Raises RuntimeFailure if the engine fails.
        """
        ...


class OpenVinoPictureNetwork:
    """float32. Raises RuntimeFailure for a file that OpenVINO cannot use, MissingExtra if it is not installed."""

    def __init__(self, model: Path) -> None:
        try:
            import openvino as ov
        except ImportError as exc:
            raise MissingExtra("openvino", "openvino", "The OpenVINO engine") from exc
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": 1,
            "ENABLE_CPU_PINNING": False,  # else it shares one core with every other network of one thread
        }
        try:
            self._request = ov.Core().compile_model(str(model), "CPU", config).create_infer_request()
        except RuntimeError as exc:
            raise RuntimeFailure(_unreadable("OpenVINO", model, exc)) from exc

    def run(self, picture: NDArray[np.uint8]) -> F32:
        try:
            result = self._request.infer([picture[None]], share_inputs=True, share_outputs=True)
        except RuntimeError as exc:
            raise RuntimeFailure(f"OpenVINO failed in the person matte ({last_line(exc)})") from exc
        return np.asarray(result[0][0])


class OnnxPictureNetwork:
    """float32. Raises RuntimeFailure for a file that ONNX Runtime cannot use, MissingExtra if it is not installed."""

    def __init__(self, model: Path) -> None:
        try:
            import onnxruntime as ort
        except ImportError as exc:
            raise MissingExtra("onnxruntime", "onnxruntime", "The ONNX Runtime engine") from exc
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # the engine's errors share no base but Exception
            raise RuntimeFailure(_unreadable("ONNX Runtime", model, exc)) from exc
        self._input = self._session.get_inputs()[0].name

    def run(self, picture: NDArray[np.uint8]) -> F32:
        try:
            (result,) = self._session.run(None, {self._input: picture[None]})
        except Exception as exc:  # as above
            raise RuntimeFailure(f"ONNX Runtime failed in the person matte ({last_line(exc)})") from exc
        return np.asarray(result[0])


def open_picture_network(engine: str, model: Path) -> PictureNetwork:
    """A file with the engine called ``engine``; for "auto" with the first of ENGINES that works.

    Raises RuntimeFailure or MissingExtra; for "auto" with the reason of each engine that was rejected.
    """
    if not model.is_file():
        raise RuntimeFailure(f"the network {model} does not exist; expected an .onnx file: install livelight anew")
    if engine == "openvino":
        return OpenVinoPictureNetwork(model)
    if engine == "onnxruntime":
        return OnnxPictureNetwork(model)
    rejected = []
    for candidate in ENGINES:
        try:
            return open_picture_network(candidate, model)
        except LiveLightError as exc:
            rejected.append(f"{candidate}: {exc}")
            log.warning("%s rejected for %s: %s", candidate, model.name, exc)
    raise RuntimeFailure(f"no inference engine can use {model.name}; " + "; ".join(rejected))


def _unreadable(engine: str, model: Path, exc: Exception) -> str:
    return f"{engine} cannot use {model} ({last_line(exc)}); expected a segmenter as .onnx: install livelight anew"
