"""Which parts of the network run in 16 bits. TensorRT 11 takes the precision from the graph, so it is decided here.

In float32 stay: the light path (light head, embedding, FiLM, light balls), the recurrent updates, the attention's
softmax, normals, matte, what light arrives, and the output head; rounding them shows as wrong or pumping light. The
convolutions between, more than nine tenths of the arithmetic, run in 16 bits, or, where it is asked for, in 8
(trt_engines.quantised).
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from livelight.runtimes.torch_network import RelightNetwork
from trt_engines.quantised import round_convolutions
from trt_engines.spec import Precision

STAYS_SHORT = (
    *("stem", "down4", "down8", "down16", "depth.whole", "up8", "depth.eighth", "up4", "depth.quarter", "up2"),
    *("light8", "depth.lit", "light4", "light2", "light2b"),
)
"""16 bits inside, and their results too: they only feed each other."""

COMES_BACK = (
    "gru16.gates",
    "gru16.candidate",
    "gru8.gates",
    "gru8.candidate",
    "attention",
    "geometry",
    "matte",
    "occlusion.coarse",
    "occlusion.fine",
)
"""16 bits inside, results in float32."""

STAYS_LONG = ("light_head", "embed", "film", "out", "person_gain")
"""float32 throughout, whatever comes in."""


class Inside(nn.Module):
    """Runs a module in one type: what comes in is brought to it, what goes out is in ``out`` type."""

    def __init__(self, module: nn.Module, dtype: torch.dtype, out: torch.dtype) -> None:
        super().__init__()
        self.module = module.to(dtype)
        self.dtype, self.out = dtype, out

    def forward(self, *inputs: Tensor) -> Tensor:
        result: Tensor = self.module(*(x.to(self.dtype) for x in inputs))
        return result.to(self.out)


def in_precision(
    network: RelightNetwork, precision: Precision, ranges: dict[str, float] | None = None
) -> RelightNetwork:
    """A copy of ``network`` (float32) that computes in ``precision``; pictures, light and states stay float32.

    ranges: of the convolutions' inputs (quantised.read_ranges); int8 and fp8 need them, and take float16 for the rest.
    """
    network = copy.deepcopy(network).eval()
    if precision == "fp32":
        return network
    if precision == "int8" or precision == "fp8":
        if ranges is None:
            raise ValueError(f"{precision} needs the ranges of the convolutions' inputs, got none")
        round_convolutions(network, precision, ranges)
    short = torch.bfloat16 if precision == "bf16" else torch.float16
    kinds = (
        (STAYS_SHORT, short, short),
        (COMES_BACK, short, torch.float32),
        (STAYS_LONG, torch.float32, torch.float32),
    )
    for names, inside, out in kinds:
        for name in names:
            if getattr(network, name.partition(".")[0]) is None:
                continue  # a part that this network is without
            network.set_submodule(name, Inside(network.get_submodule(name), inside, out))
    return network
