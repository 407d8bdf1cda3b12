"""A training checkpoint becomes the .onnx file that every runtime reads.

python -m training.export CHECKPOINT OUT.onnx
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from livelight.runtimes.torch_network import RelightNetwork, load_network
from livelight.runtimes.torch_runtime import HALF
from training.cpu_graph import CpuGraph

OPSET = 18
INPUTS = ("image", "light", "state8", "state16")
OUTPUTS = ("gain", "offset", "matte", "normals", "source_light", "next8", "next16")


def export(network: RelightNetwork, size: str, out: Path, properties: dict[str, str]) -> None:
    """Write ``network`` as ONNX, dynamic height and width (multiples of 16), batch 1; checked in full.

    Arithmetic is in float32, weights are stored in 16 bits.
    """
    h, w = 144, 256
    args = (
        torch.zeros(1, h, w, 3, dtype=torch.uint8),
        torch.zeros(1, 16, 16, 3),
        *network.start(1, h, w),
    )
    height, width = torch.export.Dim("rows", min=2, max=256), torch.export.Dim("columns", min=2, max=256)
    shapes: tuple[dict[int, Any], ...] = (
        {1: 16 * height, 2: 16 * width},
        {},
        {2: 2 * height, 3: 2 * width},
        {2: height, 3: width},
    )
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    program = torch.onnx.export(
        CpuGraph(network).eval(),
        args,
        dynamo=True,
        opset_version=OPSET,
        input_names=INPUTS,
        output_names=OUTPUTS,
        dynamic_shapes=shapes,
        verbose=False,
        optimize=False,  # keeps the weights under the names that the torch engine looks for
    )
    assert program is not None
    model = program.model_proto
    onnx.helper.set_model_props(model, {"livelight.size": size, **properties})
    halve_weights(model)
    onnx.checker.check_model(model, full_check=True)
    temporary = out.with_suffix(".tmp")
    onnx.save(model, temporary)
    temporary.replace(out)


def halve_weights(model: onnx.ModelProto) -> None:
    """Store every large float32 weight in 16 bits; the graph turns it back, so all arithmetic stays in float32."""
    casts = []
    for weight in model.graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if weight.data_type != onnx.TensorProto.FLOAT or values.size < 1024:
            continue
        name, half = weight.name, values.astype(np.float16)
        if not np.isfinite(half).all():
            raise ValueError(f"{name} holds {np.abs(values).max():.3g}, more than 16 bits can; it was badly trained")
        weight.CopyFrom(onnx.numpy_helper.from_array(half, name + HALF))
        casts.append(onnx.helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    saved = torch.load(args.checkpoint, map_location="cpu", weights_only=True)
    properties = {"livelight.version": saved["version"], "livelight.steps": str(saved["step"])}
    export(load_network(saved["size"], saved["ema"]), saved["size"], args.out, properties)


if __name__ == "__main__":
    main()
