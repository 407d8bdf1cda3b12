"""A TensorFlow Lite segmenter becomes the .onnx file that every runtime reads.

python -m training.export_segmenter MODEL.tflite OUT.onnx

The operators of MediaPipe's selfie segmenters, no others. Pictures are (1, h, w, c) in TensorFlow Lite and (1, c, h, w)
in the ONNX graph; weights stay float16, as they are. The graph takes bytes and gives one confidence per pixel, so that
what MediaPipe does around the network (scaling to [0, 1]) is inside.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
INPUT, OUTPUT = "image", "matte"

Array = NDArray[Any]

BUILTIN = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
ACTIVATIONS = {tflite.ActivationFunctionType.NONE: None, tflite.ActivationFunctionType.RELU: "Relu"}
PADDINGS = {tflite.Padding.SAME: "SAME_UPPER", tflite.Padding.VALID: "VALID"}


class Conversion:
    """One model on its way. ``operators``: name of a TensorFlow Lite operator -> what writes it into the graph."""

    def __init__(self, model: bytes) -> None:
        self.model = tflite.Model.GetRootAsModel(model, 0)
        self.graph = self.model.Subgraphs(0)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self.halves: dict[int, int] = {}
        """Number of a float32 tensor -> that of the float16 constant that it is read from."""
        self.operators: dict[str, Callable[[Any, list[int], str], None]] = {
            "CONV_2D": self.convolution,
            "DEPTHWISE_CONV_2D": self.depthwise,
            "Convolution2DTransposeBias": self.doubled,
            "ADD": self.sum,
            "MUL": self.product,
            "MEAN": self.mean,
            "AVERAGE_POOL_2D": self.whole_mean,
            "RESIZE_BILINEAR": self.resized,
            "RELU": lambda op, given, out: self.add("Relu", [name_of(given[0])], out),
            "HARD_SWISH": lambda op, given, out: self.add("HardSwish", [name_of(given[0])], out),
            "LOGISTIC": lambda op, given, out: self.add("Sigmoid", [name_of(given[0])], out),
        }

    def run(self) -> onnx.ModelProto:
        """The ONNX model, checked in full. Raises ValueError for an operator, or a use of one, that is not known."""
        (first,), (last,) = self.graph.InputsAsNumpy(), self.graph.OutputsAsNumpy()
        _, height, width, _ = self.shape(first)
        self.constant("scale", np.float32(1 / 255))
        self.add("Cast", [INPUT], "number", to=TensorProto.FLOAT)
        self.add("Mul", ["number", "scale"], "scaled")
        self.add("Transpose", ["scaled"], name_of(first), perm=[0, 3, 1, 2])
        for number in range(self.graph.OperatorsLength()):
            self.convert(self.graph.Operators(number))
        self.constant("channel", np.array([1], np.int64))
        self.add("Squeeze", [name_of(last), "channel"], OUTPUT)
        graph = helper.make_graph(
            self.nodes,
            "segmenter",
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, [1, height, width, 3])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, height, width])],
            list(self.weights.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model

    def convert(self, op: Any) -> None:
        code = self.model.OperatorCodes(op.OpcodeIndex())
        kind = BUILTIN[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        kind = code.CustomCode().decode() if kind == "CUSTOM" else kind
        given, (out,) = [int(number) for number in op.InputsAsNumpy()], op.OutputsAsNumpy()
        if kind == "DEQUANTIZE":
            self.halves[int(out)] = given[0]
        elif kind in self.operators:
            self.operators[kind](op, given, name_of(out))
        else:
            raise ValueError(f"the operator {kind} is not known; expected one of {', '.join(self.operators)}")

    def shape(self, number: int) -> tuple[int, ...]:
        return tuple(int(size) for size in self.graph.Tensors(int(number)).ShapeAsNumpy())

    def value(self, number: int) -> Array:
        """A constant, float16 where it is kept so."""
        number = self.halves.get(number, number)
        tensor = self.graph.Tensors(number)
        data = self.model.Buffers(tensor.Buffer()).DataAsNumpy()
        if not isinstance(data, np.ndarray):
            raise ValueError(f"the tensor {tensor.Name().decode()} is computed; expected a constant")
        return np.asarray(np.frombuffer(data.tobytes(), DTYPES[tensor.Type()]).reshape(self.shape(number)))

    def constant(self, name: str, value: Array | np.float32) -> str:
        """The name under which float32 (or integer) nodes read a constant."""
        array = np.asarray(value)
        if array.dtype == np.float16:
            self.weights[f"{name}_half"] = numpy_helper.from_array(np.ascontiguousarray(array), f"{name}_half")
            self.add("Cast", [f"{name}_half"], name, to=TensorProto.FLOAT)
        else:
            self.weights[name] = numpy_helper.from_array(array, name)
        return name

    def add(self, kind: str, given: list[str], out: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, given, [out], name=f"{kind}_{out}", **attributes))

    def active(self, function: int, kind: str, given: list[str], out: str, **attributes: Any) -> None:
        """A node, followed by the activation that TensorFlow Lite has in the operator itself."""
        if function not in ACTIVATIONS:
            raise ValueError(f"the activation {function} of {out} is not known; expected none or ReLU")
        after = ACTIVATIONS[function]
        self.add(kind, given, f"{out}_before" if after else out, **attributes)
        if after:
            self.add(after, [f"{out}_before"], out)

    def convolution(self, op: Any, given: list[int], out: str) -> None:
        options = tflite.Conv2DOptions()
        self._convolution(op, options, given, out, self.value(given[1]).transpose(0, 3, 1, 2), 1)

    def depthwise(self, op: Any, given: list[int], out: str) -> None:
        options, kernel = tflite.DepthwiseConv2DOptions(), self.value(given[1]).transpose(3, 0, 1, 2)
        self._convolution(op, options, given, out, kernel, self.shape(given[0])[3])

    def _convolution(self, op: Any, options: Any, given: list[int], out: str, kernel: Array, groups: int) -> None:
        """kernel: (out, in / groups, h, w)."""
        options.Init(op.BuiltinOptions().Bytes, op.BuiltinOptions().Pos)
        if (options.DilationHFactor(), options.DilationWFactor()) != (1, 1):
            raise ValueError(f"the convolution {out} is dilated; expected one without holes")
        weight = self.constant(f"{out}_weight", kernel)
        bias = self.constant(f"{out}_bias", self.value(given[2]))
        self.active(
            options.FusedActivationFunction(),
            "Conv",
            [name_of(given[0]), weight, bias],
            out,
            auto_pad=PADDINGS[options.Padding()],
            strides=[options.StrideH(), options.StrideW()],
            group=groups,
        )

    def doubled(self, op: Any, given: list[int], out: str) -> None:
        """MediaPipe's own operator: a 2x2 transposed convolution with stride 2 and a bias, which puts four channels in
        the place of a pixel. Options: padding, stride_w, stride_h as int32."""
        kernel = self.value(given[1])  # (out, 2, 2, in)
        options = np.frombuffer(op.CustomOptionsAsNumpy().tobytes(), np.int32)
        if tuple(options[1:]) != (2, 2) or kernel.shape[:3] != (1, 2, 2):
            raise ValueError(f"the transposed convolution {out} has the kernel {kernel.shape}; expected (1, 2, 2, n)")
        weight = self.constant(f"{out}_weight", kernel.reshape(4, -1, 1, 1))
        bias = self.constant(f"{out}_bias", np.repeat(self.value(given[2]), 4))
        self.add("Conv", [name_of(given[0]), weight, bias], f"{out}_packed")
        self.add("DepthToSpace", [f"{out}_packed"], out, blocksize=2, mode="DCR")

    def sum(self, op: Any, given: list[int], out: str) -> None:
        self._of_two(op, tflite.AddOptions(), "Add", given, out)

    def product(self, op: Any, given: list[int], out: str) -> None:
        self._of_two(op, tflite.MulOptions(), "Mul", given, out)

    def _of_two(self, op: Any, options: Any, kind: str, given: list[int], out: str) -> None:
        options.Init(op.BuiltinOptions().Bytes, op.BuiltinOptions().Pos)
        self.active(options.FusedActivationFunction(), kind, [name_of(number) for number in given], out)

    def mean(self, op: Any, given: list[int], out: str) -> None:
        if self.value(given[1]).tolist() != [1, 2]:
            raise ValueError(f"{out} is a mean over {self.value(given[1])}; expected one over rows and columns")
        self.add("GlobalAveragePool", [name_of(given[0])], out)

    def whole_mean(self, op: Any, given: list[int], out: str) -> None:
        options = tflite.Pool2DOptions()
        options.Init(op.BuiltinOptions().Bytes, op.BuiltinOptions().Pos)
        if (options.FilterHeight(), options.FilterWidth()) != self.shape(given[0])[1:3]:
            raise ValueError(f"{out} is a mean over parts of the picture; expected one over all of it")
        self.active(options.FusedActivationFunction(), "GlobalAveragePool", [name_of(given[0])], out)

    def resized(self, op: Any, given: list[int], out: str) -> None:
        options = tflite.ResizeBilinearOptions()
        options.Init(op.BuiltinOptions().Bytes, op.BuiltinOptions().Pos)
        places = {(True, False): "align_corners", (False, True): "half_pixel", (False, False): "asymmetric"}
        height, width = self.value(given[1]).tolist()
        size = np.array([1, self.shape(given[0])[3], height, width], np.int64)
        mode = places[bool(options.AlignCorners()), bool(options.HalfPixelCenters())]
        sizes = self.constant(f"{out}_size", size)
        self.add("Resize", [name_of(given[0]), "", "", sizes], out, mode="linear", coordinate_transformation_mode=mode)


def name_of(number: int) -> str:
    """What a tensor of TensorFlow Lite is called in the ONNX graph."""
    return f"t{number}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    onnx.save(Conversion(args.model.read_bytes()).run(), args.out)


if __name__ == "__main__":
    main()
