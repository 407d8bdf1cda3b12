"""Exported graphs, each made once per test run, and a weights file."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch

from tests.trt_engines.scene import HEIGHT, WIDTH, light, network, picture
from trt_engines.export import live_graph, to_onnx
from trt_engines.quantised import ROUNDED, rounded_names
from trt_engines.spec import GraphSpec


@functools.cache
def graph_bytes(precision: str = "fp32", blur: bool = False) -> bytes:
    """The ONNX file of the test network for frames of the scene."""
    spec = GraphSpec(WIDTH, HEIGHT, precision, blur)  # type: ignore[arg-type]
    return bytes(to_onnx(live_graph(network(), spec, ranges()), spec).SerializeToString())


def graph(precision: str = "fp32", blur: bool = False) -> onnx.ModelProto:
    """A fresh copy."""
    return onnx.load_from_string(graph_bytes(precision, blur))


@functools.cache
def ranges() -> dict[str, float]:
    """Largest inputs of the test network's convolutions on a frame of the scene, for 8 bits."""
    made, found = network(), {}
    names = {name for kind in ROUNDED for name in rounded_names(made, kind)}
    for name in names:
        made.get_submodule(name).register_forward_pre_hook(
            lambda module, inputs, name=name: found.update({name: float(inputs[0].abs().max())})
        )
    with torch.inference_mode():
        frame = torch.from_numpy(cv2.resize(picture(0), (256, 144)))[None]
        made(frame, torch.from_numpy(light(0).code)[None], *made.start(1, 144, 256))
    return found


def write_weights(path: Path) -> Path:
    """A relighter .onnx that holds the test network's weights and no graph: all that building reads of it."""
    weights = [onnx.numpy_helper.from_array(np.asarray(w), name) for name, w in network().state_dict().items()]
    model = onnx.helper.make_model(onnx.helper.make_graph([], "weights", [], [], weights))
    onnx.helper.set_model_props(model, {"livelight.size": "S"})
    onnx.save(model, path)
    return path
