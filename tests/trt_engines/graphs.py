"""Exported graphs, each made once per test run, and a weights file."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import onnx

from tests.trt_engines.scene import HEIGHT, WIDTH, network
from trt_engines.export import live_graph, to_onnx
from trt_engines.spec import GraphSpec


@functools.cache
def graph_bytes(precision: str = "fp32", blur: bool = False, layout: str = "rgb") -> bytes:
    """The ONNX file of the test network for frames of the scene."""
    spec = GraphSpec(WIDTH, HEIGHT, precision, blur, layout)  # type: ignore[arg-type]
    return bytes(to_onnx(live_graph(network(), spec), spec).SerializeToString())


def graph(precision: str = "fp32", blur: bool = False, layout: str = "rgb") -> onnx.ModelProto:
    """A fresh copy."""
    return onnx.load_from_string(graph_bytes(precision, blur, layout))


def write_weights(path: Path) -> Path:
    """A relighter .onnx that holds the test network's weights and no graph: all that building reads of it."""
    weights = [onnx.numpy_helper.from_array(np.asarray(w), name) for name, w in network().state_dict().items()]
    model = onnx.helper.make_model(onnx.helper.make_graph([], "weights", [], [], weights))
    onnx.helper.set_model_props(model, {"livelight.size": "S"})
    onnx.save(model, path)
    return path
