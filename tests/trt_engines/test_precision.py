"""Every part of a network runs in the precision that it was given."""

from __future__ import annotations

import pytest
import torch

from livelight.runtimes.torch_network import SIZES, RelightNetwork
from tests.deep import rouse
from trt_engines.precision import in_precision


@pytest.mark.parametrize(("precision", "most"), [("fp16", 0.01), ("bf16", 0.1)])
def test_more_layers_run_in_16_bits(precision, most) -> None:
    torch.manual_seed(1)
    network = RelightNetwork(SIZES["S"], structure=False, person_gain=True, occlusion=True, depth=True).eval()
    assert network.depth is not None
    rouse(network.depth)
    short = in_precision(network, precision)
    assert short.depth is not None
    assert {weight.element_size() for weight in short.depth.parameters()} == {2}
    picture, light = torch.randint(0, 256, (1, 32, 48, 3), dtype=torch.uint8), torch.rand(1, 16, 16, 3)
    with torch.inference_mode():
        (gain, *_), (truth, *_) = (n(picture, light, *network.start(1, 32, 48)) for n in (short, network))
    assert gain.dtype == torch.float32
    assert 0 < (gain / truth - 1).abs().max() < most
