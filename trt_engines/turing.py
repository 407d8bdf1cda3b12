"""Graphs for Turing cards (compute capability 7.5): TensorRT-RTX 1.7 has no float32 matrix product there.

It says "FP32 GEMM is not supported" and stops. The products of the light path, by constant matrices and small, become
a float32 product and sum; the others (the Gaussian blur of the room, what light arrives) are computed in float16.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

GEMM_FROM = (8, 0)
"""First compute capability (major, minor) with float32 matrix products."""


def without_gemm(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same function without float32 Gemm and MatMul; the model is changed in place."""
    graph = model.graph
    constants = {t.name for t in graph.initializer} | {n.output[0] for n in graph.node if n.op_type == "Constant"}
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "Gemm":
            nodes += _summed(node, transposed=_transposed(node), bias=node.input[2])
        elif node.op_type == "MatMul" and node.input[1] in constants:
            nodes += _summed(node, transposed=False, bias="")
        elif node.op_type == "MatMul":
            nodes += _halved(node)
        else:
            nodes.append(node)
    graph.initializer.extend(
        numpy_helper.from_array(np.array([axis], np.int64), f"turing_axis_{axis}") for axis in (-1, -2)
    )
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return model


def _transposed(node: NodeProto) -> bool:
    fields = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if fields.get("alpha", 1.0) != 1.0 or fields.get("beta", 1.0) != 1.0 or fields.get("transA", 0):
        raise ValueError(f"Gemm {node.name} has alpha, beta or transA; expected a plain linear layer, got {fields}")
    return bool(fields.get("transB", 0))


def _summed(node: NodeProto, transposed: bool, bias: str) -> list[NodeProto]:
    """x (..., k) times a matrix (k, m), or (m, k) if transposed, as a product and a sum over k."""
    out = node.output[0]
    # (..., 1, k) * (m, k) is summed over -1; (..., k, 1) * (k, m) over -2.
    spread, over = ("turing_axis_-2", "turing_axis_-1") if transposed else ("turing_axis_-1", "turing_axis_-2")
    total = f"{out}_sum" if bias else out
    nodes = [
        helper.make_node("Unsqueeze", [node.input[0], spread], [f"{out}_spread"]),
        helper.make_node("Mul", [f"{out}_spread", node.input[1]], [f"{out}_terms"]),
        helper.make_node("ReduceSum", [f"{out}_terms", over], [total], keepdims=0),
    ]
    return [*nodes, helper.make_node("Add", [total, bias], [out])] if bias else nodes


def _halved(node: NodeProto) -> list[NodeProto]:
    """A product of two computed matrices in float16."""
    out = node.output[0]
    casts = [
        helper.make_node("Cast", [name], [f"{out}_half_{k}"], to=TensorProto.FLOAT16)
        for k, name in enumerate(node.input)
    ]
    product = helper.make_node("MatMul", [f"{out}_half_0", f"{out}_half_1"], [f"{out}_half"])
    return [*casts, product, helper.make_node("Cast", [f"{out}_half"], [out], to=TensorProto.FLOAT)]
