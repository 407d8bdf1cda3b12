"""ONNX Runtime on the CPU: runs wherever a wheel exists (Arm, macOS)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livelight.errors import MissingExtra, RuntimeFailure
from livelight.runtimes import F32, NetworkOutput, NetworkState, network_output, start_state


class OnnxRuntime:
    """float32, any picture size."""

    name = "onnxruntime"

    def __init__(self, model: Path, threads: int) -> None:
        try:
            import onnxruntime as ort
        except ImportError as exc:
            raise MissingExtra("onnxruntime", "onnxruntime", "The ONNX Runtime engine") from exc
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # the engine's errors share no base but Exception
            raise RuntimeFailure(f"ONNX Runtime cannot read {model} as a relighter ({str(exc)[:200]})") from exc
        self._names = [i.name for i in self._session.get_inputs()]
        self._channels = {i.name: i.shape[1] for i in self._session.get_inputs() if i.name.startswith("state")}

    def run(self, image: NDArray[np.uint8], light: F32, state: NetworkState | None) -> NetworkOutput:
        if state is None:
            state = start_state(self._channels, image.shape[0], image.shape[1])
        feeds = dict(zip(self._names, (image[None], light[None], *state), strict=True))
        try:
            results = self._session.run(None, feeds)
        except Exception as exc:  # as above
            raise RuntimeFailure(f"ONNX Runtime failed in the network ({str(exc)[:200]})") from exc
        return network_output(results, "ONNX Runtime")


def open_model(model: Path, threads: int) -> OnnxRuntime:
    return OnnxRuntime(model, threads)
