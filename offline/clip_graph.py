"""The graph of our own diffusion model on an engine without torch: OpenVINO, or ONNX Runtime (also on CUDA)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from livelight.errors import MissingExtra, RuntimeFailure
from livelight.runtimes.openvino_runtime import has_amx
from offline.denoiser import F32

log = logging.getLogger(__name__)

Graph = Callable[[dict[str, F32]], F32]
"""Named float32 inputs to the one output. One thread."""


def open_graph(model: Path, device: str, threads: int) -> Graph:
    """The first engine that works. device: cpu, cuda or auto; threads: 0 = all cores. Raises RuntimeFailure."""
    if device != "cpu":
        try:
            return _onnxruntime(model, threads, "CUDAExecutionProvider")
        except (RuntimeFailure, MissingExtra) as exc:
            if device == "cuda":
                raise
            log.info("CUDA rejected: %s", exc)
    rejected = []
    for opened in (_openvino, lambda m, t: _onnxruntime(m, t, "CPUExecutionProvider")):
        try:
            return opened(model, threads)
        except (RuntimeFailure, MissingExtra) as exc:
            rejected.append(str(exc))
    raise RuntimeFailure("no engine for --model diffusion works here; " + "; ".join(rejected))


def _openvino(model: Path, threads: int) -> Graph:
    try:
        import openvino
    except ImportError as exc:
        raise MissingExtra("openvino", "openvino", "The OpenVINO engine") from exc
    core = openvino.Core()
    try:
        read = core.read_model(model)
    except RuntimeError as exc:
        raise RuntimeFailure(f"OpenVINO cannot read {model} ({str(exc).splitlines()[-1][:200]})") from exc
    precision = "bf16" if has_amx() else "f32"
    config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    compiled: dict[tuple[tuple[int, ...], ...], Any] = {}

    def run(inputs: dict[str, F32]) -> F32:
        shapes = tuple(inputs[i.any_name].shape for i in read.inputs)
        try:
            if shapes not in compiled:
                compiled.clear()  # windows of a clip all have one shape
                fixed = read.clone()
                fixed.reshape({i.any_name: list(inputs[i.any_name].shape) for i in read.inputs})
                compiled[shapes] = core.compile_model(fixed, "CPU", config).create_infer_request()
            return np.array(compiled[shapes].infer(inputs)[0])
        except RuntimeError as exc:
            raise RuntimeFailure(f"OpenVINO failed in the network ({str(exc).splitlines()[-1][:200]})") from exc

    return run


def _onnxruntime(model: Path, threads: int, provider: str) -> Graph:
    try:
        import onnxruntime
    except ImportError as exc:
        raise MissingExtra("onnxruntime", "onnxruntime", "The ONNX Runtime engine") from exc
    if provider not in onnxruntime.get_available_providers():
        raise RuntimeFailure(
            "--device cuda needs ONNX Runtime for CUDA; pip install onnxruntime-gpu, or choose --device cpu"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=[provider])
    except Exception as exc:  # the engine's errors share no base but Exception
        raise RuntimeFailure(f"ONNX Runtime cannot read {model} ({str(exc)[:200]})") from exc

    def run(inputs: dict[str, F32]) -> F32:
        try:
            return np.asarray(session.run(None, inputs)[0])
        except Exception as exc:  # as above
            raise RuntimeFailure(f"ONNX Runtime failed in the network ({str(exc)[:200]})") from exc

    return run
