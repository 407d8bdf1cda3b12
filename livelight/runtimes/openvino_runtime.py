"""OpenVINO on the CPU: the fastest engine on Intel and AMD processors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelight.errors import MissingExtra, RuntimeFailure, last_line
from livelight.runtimes import F32, NetworkOutput, NetworkState, network_output, start_state

KEPT = 4
"""Compiled picture sizes: the levels of one stream's quality."""


class OpenVinoRuntime:
    """Compiles one static graph per picture size; float32, or bfloat16 where the CPU has AMX."""

    name = "openvino"

    def __init__(self, model: Path, threads: int) -> None:
        try:
            import openvino as ov
        except ImportError as exc:
            raise MissingExtra("openvino", "openvino", "The OpenVINO engine") from exc
        self._core = ov.Core()
        try:
            self._model = self._core.read_model(model)
        except RuntimeError as exc:
            raise RuntimeFailure(f"OpenVINO cannot read {model} as a relighter ({last_line(exc)})") from exc
        # bf16 without AMX is slower than f32, and does not compile on AVX2.
        bf16 = "AMX_BF16" in str(self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")) or has_amx()
        self._config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
            "INFERENCE_NUM_THREADS": threads,
        }
        if threads == 1:
            self._config["ENABLE_CPU_PINNING"] = False  # all such networks of a machine would share one core
        self._channels = {
            i.any_name: i.partial_shape[1].get_length() for i in self._model.inputs if i.any_name.startswith("state")
        }
        self._compiled: dict[tuple[int, int], Any] = {}

    def run(self, image: NDArray[np.uint8], light: F32, state: NetworkState | None) -> NetworkOutput:
        size = (image.shape[0], image.shape[1])
        request = self._compiled.get(size) or self._compile(*size)
        if state is None:
            state = start_state(self._channels, *size)
        try:
            results = request.infer([image[None], light[None], *state], share_inputs=True, share_outputs=True)
        except RuntimeError as exc:
            raise RuntimeFailure(f"OpenVINO failed in the network ({last_line(exc)})") from exc
        arrays = [results[i] for i in range(len(results))]
        return network_output([*arrays[:5], *(a.copy() for a in arrays[5:])], "OpenVINO")

    def _compile(self, height: int, width: int) -> Any:
        """An inference request for one picture size; those of the last KEPT sizes are kept."""
        shapes = {"image": [1, height, width, 3], "light": [1, 16, 16, 3]}
        for name, channels in self._channels.items():
            stride = int(name.removeprefix("state"))
            shapes[name] = [1, channels, height // stride, width // stride]
        model = self._model.clone()
        try:
            model.reshape(shapes)
            request = self._core.compile_model(model, "CPU", self._config).create_infer_request()
        except RuntimeError as exc:
            raise RuntimeFailure(f"OpenVINO cannot compile the relighter ({last_line(exc)})") from exc
        if len(self._compiled) >= KEPT:
            del self._compiled[next(iter(self._compiled))]
        self._compiled[height, width] = request
        return request


def has_amx() -> bool:
    """Whether the CPU has matrix units, on which this engine computes in bfloat16."""
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def open_model(model: Path, threads: int) -> OpenVinoRuntime:
    return OpenVinoRuntime(model, threads)
