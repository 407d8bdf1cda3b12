"""From shipped weights to the ONNX file of a whole live path, which the builders compile.

Opset 18 (22 in bfloat16), only standard operators that the TensorRT-RTX parser takes; pictures of one size, any number
of streams. Precision stands in the graph (trt_engines.precision).
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from livelight.errors import MissingExtra
from livelight.relight import network_size
from trt_engines.spec import GraphSpec

try:
    import onnx
    import torch

    from livelight.runtimes.torch_network import RelightNetwork
    from livelight.runtimes.torch_runtime import read_network
    from trt_engines.live_graph import OUTPUTS, LiveGraph
    from trt_engines.precision import in_precision
    from trt_engines.turing import GEMM_FROM, without_gemm
except ImportError as exc:
    raise MissingExtra("torch or onnx", "tensorrt-rtx", "Building a TensorRT engine") from exc

OPSET = 18
OPSET_BF16 = 22
"""The first opset whose convolutions take bfloat16."""


def live_graph(network: RelightNetwork, spec: GraphSpec) -> LiveGraph:
    """The torch module of a spec: the slow truth for its ONNX file. network: float32, as trained."""
    w, h = network_size(spec.width, spec.height)
    network = in_precision(network, spec.precision)
    return LiveGraph(network, spec.height, spec.width, (h, w), spec.blur, spec.layout).eval()


def to_onnx(graph: LiveGraph, spec: GraphSpec) -> onnx.ModelProto:
    """Export; checked in full by onnx.checker. The number of streams stays free."""
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            graph.example(2),
            file,
            dynamo=False,  # a tenth of the time, and no third package: the graph has no branches to be traced wrongly
            opset_version=OPSET,
            input_names=list(graph.inputs),
            output_names=list(OUTPUTS),
            dynamic_axes={name: {0: "streams"} for name in (*graph.inputs, *OUTPUTS)},
        )
    model = onnx.load_from_string(file.getvalue())
    if spec.precision == "bf16":
        raise_opset(model)
    onnx.helper.set_model_props(model, {"livelight.graph": spec.text()})
    onnx.checker.check_model(model, full_check=True)
    return model


def raise_opset(model: onnx.ModelProto) -> None:
    """Name opset 22 in place; of the operators of a live graph only GridSample is written otherwise there."""
    for node in model.graph.node:
        for field in node.attribute:
            if node.op_type == "GridSample" and field.name == "mode":
                field.s = b"linear"  # called bilinear before opset 20
    model.opset_import[0].version = OPSET_BF16


def export(weights: Path, spec: GraphSpec, capability: tuple[int, int]) -> bytes:
    """The ONNX file of ``spec`` with the weights of a relighter .onnx, for cards of a compute capability.

    Raises RuntimeFailure for a foreign file.
    """
    model = to_onnx(live_graph(read_network(weights), spec), spec)
    if capability < GEMM_FROM:
        model = without_gemm(model)
    return bytes(model.SerializeToString())
