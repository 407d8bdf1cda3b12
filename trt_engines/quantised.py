"""Convolutions in 8 bits by explicit QuantizeLinear and DequantizeLinear nodes, as TensorRT 11 wants them.

Each rounds its input with one scale, from a range measured on rendered frames (training.calibrate), and its weights
with a scale for each output channel. Which convolutions do was found by measuring each alone and all together
(training.precisions); the others stay in 16 or 32 bits, as trt_engines.precision says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from livelight.errors import RuntimeFailure
from livelight.runtimes.torch_network import RelightNetwork
from trt_engines.spec import hash_of, ranges_path

EightBits = Literal["int8", "fp8"]

_DEEP = ("up8", "up4", "light8", "light4")
ROUNDED: dict[EightBits, tuple[str, ...]] = {
    "int8": ("down8.2", "down16", *_DEEP, "light2", "light2b"),
    "fp8": _DEEP,
}
"""Modules whose convolutions run in 8 bits. In float: the first and last layers, whose rounding shows as bands and in
the light, the recurrent updates and the matte. fp8 (E4M3) has 3 bits of mantissa, too few for the finest layers, and
for what the memory hears at 1/16 (with that too the state of v13 is off by 11 % after five frames, without by 2)."""

_LARGEST = {"int8": 127.0, "fp8": 448.0}
_SMALLEST_SCALE = 2.0**-14
"""The smallest normal float16: scales are float16."""


def read_ranges(weights: Path) -> dict[str, float]:
    """Convolution's name -> largest magnitude of its input that matters. Raises RuntimeFailure if there are none."""
    path = ranges_path(weights)
    way_out = f"make it with: python -m training.calibrate --model {weights}, or take --precision fp16"
    try:
        content = json.loads(path.read_bytes())
        made_for, ranges = str(content["weights"]), {str(k): float(v) for k, v in content["ranges"].items()}
    except OSError as exc:
        raise RuntimeFailure(f"8 bits need {path}, which cannot be read ({exc.strerror}); {way_out}") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise RuntimeFailure(f"{path} holds no ranges; {way_out}") from exc
    if made_for != hash_of(weights):
        raise RuntimeFailure(f"{path} was measured on other weights than those of {weights}; {way_out}")
    return ranges


class _Rounding(torch.autograd.Function):
    """x, float16, to 8 bits and back; scale: float16, () or, along the first axis of x, (c,)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, kind: EightBits) -> Tensor:
        shape = [-1, *[1] * (x.dim() - 1)] if scale.dim() else []
        step = scale.to(torch.float32).reshape(shape)
        ratio = x.to(torch.float32) / step
        if kind == "int8":
            short = ratio.round().clamp(-128, 127)
        else:
            short = ratio.clamp(-448, 448).to(torch.float8_e4m3fn).to(torch.float32)
        return (short * step).to(x.dtype)

    @staticmethod
    def symbolic(g: Any, x: Any, scale: Any, kind: EightBits) -> Any:
        dtype = torch.int8 if kind == "int8" else torch.float8_e4m3fn
        sizes = scale.type().sizes()
        zero = g.op("Constant", value_t=torch.zeros(sizes, dtype=dtype))
        axis = {"axis_i": 0} if sizes else {}
        rounded = g.op("QuantizeLinear", x, scale, zero, **axis)
        return g.op("DequantizeLinear", rounded, scale, zero, **axis).setType(x.type())


class RoundedConv(nn.Module):
    """A convolution in 8 bits; float16 between. largest: of the input's magnitude, what is beyond is clipped."""

    def __init__(self, conv: nn.Conv2d, largest: float, kind: EightBits) -> None:
        super().__init__()
        self.conv, self.kind = conv, kind
        top = _LARGEST[kind]
        self.register_buffer("input_scale", torch.tensor(largest / top).clamp(min=_SMALLEST_SCALE))
        per_channel = conv.weight.detach().abs().amax((1, 2, 3)) / top
        self.register_buffer("weight_scale", per_channel.clamp(min=_SMALLEST_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        x = cast(Tensor, _Rounding.apply(x, self.input_scale, self.kind))
        weight = cast(Tensor, _Rounding.apply(conv.weight, self.weight_scale, self.kind))
        return F.conv2d(x, weight, conv.bias, conv.stride, conv.padding)


def round_convolutions(network: RelightNetwork, kind: EightBits, ranges: dict[str, float]) -> None:
    """Put RoundedConv in place of the convolutions of ROUNDED, in place; before the network is brought to float16."""
    for name in rounded_names(network, kind):
        conv = network.get_submodule(name)
        assert isinstance(conv, nn.Conv2d)
        network.set_submodule(name, RoundedConv(conv, ranges[name], kind))


def rounded_names(network: RelightNetwork, kind: EightBits) -> list[str]:
    """Names of the convolutions of ``network`` that run in 8 bits."""
    wanted = ROUNDED[kind]
    return [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and any(name == w or name.startswith(f"{w}.") for w in wanted)
    ]
