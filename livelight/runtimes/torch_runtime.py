"""torch: the reference that every other engine is compared with. Its weights are read from the same .onnx file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livelight.errors import MissingExtra, RuntimeFailure
from livelight.runtimes import F32, NetworkOutput, NetworkState, network_output, start_state

try:
    import onnx
    import torch
    from google.protobuf.message import DecodeError

    from livelight.runtimes.torch_network import SIZES, RelightNetwork, load_network, parts_of
except ImportError as exc:
    raise MissingExtra("torch or onnx", "torch", "The torch engine") from exc


HALF = ".half"
"""How the names of weights end that are stored in 16 bits."""


def stored_weights(graph: onnx.GraphProto) -> dict[str, torch.Tensor]:
    """The weights of a graph by name, float32, those too that it stores in 16 bits."""
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer if t.data_type in floats}
    return {name.removesuffix(HALF): torch.from_numpy(a.astype(np.float32)) for name, a in arrays.items()}


def read_network(model: Path) -> RelightNetwork:
    """The torch network whose weights stand in an exported .onnx file. Raises RuntimeFailure for a foreign file."""
    try:
        graph = onnx.load(model)
    except (DecodeError, OSError) as exc:
        raise RuntimeFailure(f"torch cannot read {model} as ONNX ({exc})") from exc
    meta = {p.key: p.value for p in graph.metadata_props}
    size = meta.get("livelight.size", "")
    if size not in SIZES:
        raise RuntimeFailure(
            f"{model} is no LiveLight relighter: expected the property livelight.size to be one of {', '.join(SIZES)}, "
            f"got {size or 'none'}"
        )
    weights = stored_weights(graph.graph)
    wanted = RelightNetwork(SIZES[size], **parts_of(weights)).state_dict()
    missing = sorted(set(wanted) - set(weights))
    if missing:
        raise RuntimeFailure(f"{model} lacks {len(missing)} weights of the relighter, the first is {missing[0]}")
    return load_network(size, {k: weights[k] for k in wanted})


class TorchRuntime:
    """float32 on the CPU."""

    name = "torch"

    def __init__(self, model: Path, threads: int) -> None:
        if threads:
            torch.set_num_threads(threads)
        self._network = read_network(model)
        self._channels = {"state8": self._network.gru8.c, "state16": self._network.gru16.c}

    def run(self, image: NDArray[np.uint8], light: F32, state: NetworkState | None) -> NetworkOutput:
        if state is None:
            state = start_state(self._channels, image.shape[0], image.shape[1])
        arrays = (np.ascontiguousarray(image[None]), np.ascontiguousarray(light[None]), *state)
        with torch.inference_mode():
            results = self._network(*(torch.from_numpy(a) for a in arrays))
        return network_output([np.ascontiguousarray(r.numpy()) for r in results], "torch")


def open_model(model: Path, threads: int) -> TorchRuntime:
    return TorchRuntime(model, threads)
