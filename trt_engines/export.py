"""From shipped weights to the ONNX file of a whole live path, which the builders compile.

Opset 18 (22 in bfloat16 and 8 bits), only standard operators that the TensorRT-RTX parser takes; pictures of one size,
any number of streams. Precision stands in the graph (trt_engines.precision).
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from livelight.errors import MissingExtra
from livelight.relight import network_size
from livelight.runtimes.live_inputs import PICTURE, PLANES, STATES
from trt_engines.spec import EIGHT_BITS, GraphSpec

try:
    import onnx
    import torch

    from livelight.runtimes.torch_network import RelightNetwork
    from livelight.runtimes.torch_runtime import read_network
    from trt_engines.live_graph import LiveGraph
    from trt_engines.precision import in_precision
    from trt_engines.quantised import read_ranges
    from trt_engines.turing import GEMM_FROM, without_gemm
except ImportError as exc:
    raise MissingExtra("torch or onnx", "tensorrt-rtx", "Building a TensorRT engine") from exc

OPSET = 18
OPSET_OF = {"bf16": 22, "int8": 22, "fp8": 22}
"""Precision -> opset where it is another: convolutions take bfloat16 from 22 on, 8 bits are made of float16 from 19."""


def live_graph(network: RelightNetwork, spec: GraphSpec, ranges: dict[str, float] | None = None) -> LiveGraph:
    """The torch module of a spec: the slow truth for its ONNX file. network: float32. ranges: for 8 bits."""
    w, h = network_size(spec.width, spec.height)
    network = in_precision(network, spec.precision, ranges)
    return LiveGraph(network, spec.height, spec.width, (h, w), spec.blur).eval()


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
            output_names=list(graph.outputs),
            dynamic_axes={name: {0: "streams"} for name in (*graph.inputs, *graph.outputs)},
        )
    model = onnx.load_from_string(file.getvalue())
    write_sizes(model, graph)
    if spec.precision in OPSET_OF:
        raise_opset(model, OPSET_OF[spec.precision])
    onnx.helper.set_model_props(model, {"livelight.graph": spec.text()})
    onnx.checker.check_model(model, full_check=True)
    return model


def write_sizes(model: onnx.ModelProto, graph: LiveGraph) -> None:
    """Write the outputs' sizes in place, all but the number of streams: the exporter leaves some of them open."""
    given = dict(zip(graph.inputs, graph.example(1), strict=True))
    height, width = graph.size
    sizes = {following: tuple(given[name].shape[1:]) for name, following in STATES.items()}
    sizes |= {PICTURE: (height, width, 3), PLANES: (height * 3 // 2, width)}
    for output in model.graph.output:
        for dim, size in zip(output.type.tensor_type.shape.dim[1:], sizes[output.name], strict=True):
            dim.dim_value = size


def raise_opset(model: onnx.ModelProto, opset: int) -> None:
    """Name an opset of 20 or more in place; of a live graph's operators only GridSample is written otherwise there."""
    for node in model.graph.node:
        for field in node.attribute:
            if node.op_type == "GridSample" and field.name == "mode":
                field.s = b"linear"  # called bilinear before opset 20
    model.opset_import[0].version = opset


def export(weights: Path, spec: GraphSpec, capability: tuple[int, int]) -> bytes:
    """The ONNX file of ``spec`` with the weights of a relighter .onnx, for cards of a compute capability.

    Raises RuntimeFailure for a foreign file, or, in 8 bits, for one without ranges.
    """
    ranges = read_ranges(weights) if spec.precision in EIGHT_BITS else None
    model = to_onnx(live_graph(read_network(weights), spec, ranges), spec)
    if capability < GEMM_FROM:
        model = without_gemm(model)
    return bytes(model.SerializeToString())
