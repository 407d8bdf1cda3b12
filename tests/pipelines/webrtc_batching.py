"""Are several sessions' pictures faster in one run? ``python -m tests.pipelines.webrtc_batching [--out FILE.json]``.

The shipped network for 720p, exported for batches of 1, 2 and 4 pictures (each with its own light and state), on
OpenVINO as LiveLight sets it up and on ONNX Runtime. Batches and single pictures take turns, so that other work on the
machine weighs on both. Prints milliseconds a picture (median): so many pictures one after the other, and in one run.
That is the whole gain there could be: matte and recombination are done picture by picture either way.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
import torch

from livelight.relight import model_path, network_size
from livelight.runtimes.openvino_runtime import OpenVinoRuntime
from livelight.runtimes.torch_runtime import read_network
from tests.pipelines.webrtc_report import add
from training.cpu_graph import CpuGraph
from training.export import INPUTS, OPSET, OUTPUTS

FRAME = (1280, 720)
COUNTS = (2, 4)

Run = Callable[[list[np.ndarray]], object]


def inputs(count: int) -> list[np.ndarray]:
    """Pictures, lights and states of so many sessions, any."""
    chance = np.random.default_rng(count)
    w, h = network_size(*FRAME)
    network = read_network(model_path("live"))
    states = ((network.gru8.c, h // 8, w // 8), (network.gru16.c, h // 16, w // 16))
    return [
        chance.integers(0, 256, (count, h, w, 3), np.uint8),
        chance.gamma(0.5, 1.0, (count, 16, 16, 3)).astype(np.float32),
        *(chance.normal(0, 0.3, (count, *shape)).astype(np.float32) for shape in states),
    ]


def exported(count: int) -> bytes:
    """The ONNX file for so many pictures at once."""
    graph = CpuGraph(read_network(model_path("live"))).eval()
    example = tuple(torch.from_numpy(array) for array in inputs(count))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    program = torch.onnx.export(
        graph, example, dynamo=True, opset_version=OPSET, input_names=INPUTS, output_names=OUTPUTS, verbose=False
    )
    assert program is not None
    return bytes(program.model_proto.SerializeToString())


def on_openvino(model: bytes) -> Run:
    """Set up as LiveLight sets it up: all cores, bfloat16 where the processor has AMX."""
    core = openvino.Core()
    config = OpenVinoRuntime(model_path("live"), 0)._config
    request = core.compile_model(core.read_model(model), "CPU", config).create_infer_request()
    return lambda arrays: request.infer(arrays, share_inputs=True, share_outputs=True)


def on_onnxruntime(model: bytes) -> Run:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    return lambda arrays: session.run(None, dict(zip(names, arrays, strict=True)))


def apart_and_together(one: Run, many: Run, count: int, seconds: float) -> tuple[float, float]:
    """Milliseconds a picture, one after the other and in one run; medians over so many seconds of both in turns."""
    together = inputs(count)
    apart = [[np.ascontiguousarray(array[k : k + 1]) for array in together] for k in range(count)]
    times: tuple[list[float], list[float]] = ([], [])
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s or len(times[0]) < 5:
        for kept, work in ((times[0], lambda: [one(arrays) for arrays in apart]), (times[1], lambda: many(together))):
            start_s = time.perf_counter()
            work()
            kept.append((time.perf_counter() - start_s) * 1e3 / count)
    return statistics.median(times[0][2:]), statistics.median(times[1][2:])


def main(seconds: float) -> list[dict]:
    models = {count: exported(count) for count in (1, *COUNTS)}
    rows = []
    for name, opened in (("openvino", on_openvino), ("onnxruntime", on_onnxruntime)):
        one = opened(models[1])
        for count in COUNTS:
            apart_ms, together_ms = apart_and_together(one, opened(models[count]), count, seconds)
            rows.append({"engine": name, "pictures": count, "apart_ms_each": round(apart_ms, 2)})
            rows[-1]["together_ms_each"] = round(together_ms, 2)
            print(json.dumps(rows[-1]), flush=True)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--out", type=Path, help="put the rows into this report")
    chosen = parser.parse_args()
    found = main(chosen.seconds)
    if chosen.out:
        add(chosen.out, "batching", found)
