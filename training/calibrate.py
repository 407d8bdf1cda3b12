"""Ranges for 8 bits: how large the inputs of a relighter's convolutions get on rendered frames.

python -m training.calibrate --data DIR [--model live] [--clips 24] [--percentile 99.999]

Lights and films clips of the training split, plays them through the float32 network, its state going round, and writes
MODEL.ranges.json beside the model, which trt_engines.quantised reads. What is beyond the percentile of the magnitudes
is clipped. Takes a minute on one core.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization.calibrate import HistogramCollector
from torch import Tensor, nn

from livelight.relight import model_path
from livelight.runtimes.torch_network import RelightNetwork
from livelight.runtimes.torch_runtime import read_network
from livelight.whole_file import write_whole
from training.held_out import HeldOutClip, held_out_clips
from trt_engines.quantised import ROUNDED, rounded_names
from trt_engines.spec import hash_of, ranges_path

BINS = 8192
CROP, FRAMES = 256, 4


def outputs(network: nn.Module, start: tuple[Tensor, ...], clip: HeldOutClip) -> Iterator[NDArray[np.float32]]:
    """Each frame of a clip relit by ``network``, (h, w, 3) sRGB-coded in [0, 1]; the state goes from frame to frame."""
    light, states = torch.from_numpy(clip["target_light"])[None], list(start)
    for picture in clip["image"]:
        pixels = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
        with torch.inference_mode():
            gain, offset, _, _, _, *states = network(torch.from_numpy(pixels)[None], light, *states)
        yield (pixels / np.float32(255) * gain[0].numpy() + offset[0].numpy()).clip(0, 1)


def calibrated(network: RelightNetwork, clips: Iterable[HeldOutClip], percentile: float) -> dict[str, float]:
    """Name of each convolution that may run in 8 bits -> the percentile of its input's magnitudes over the clips."""
    collector = HistogramCollector("percentile", True, BINS, BINS, percentile, "same")
    names = sorted({name for kind in ROUNDED for name in rounded_names(network, kind)})

    def collect(name: str, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # the collector prints at every call
            collector.collect({name: np.ascontiguousarray(inputs[0].numpy())})

    hooks = [network.get_submodule(name).register_forward_pre_hook(partial(collect, name)) for name in names]
    try:
        for clip in clips:
            for _ in outputs(network, network.start(1, *clip["image"].shape[1:3]), clip):
                pass
    finally:
        for hook in hooks:
            hook.remove()
    with contextlib.redirect_stdout(io.StringIO()):
        found = collector.compute_collection_result()
    return {name: round(float(np.abs(found[name][:2]).max()), 5) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of rendered clips")
    parser.add_argument("--model", default="live")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--percentile", type=float, default=99.999)
    args = parser.parse_args()
    weights = model_path(args.model)
    clips = islice(held_out_clips(args.data, "train", 1, CROP, FRAMES), args.clips)
    ranges = calibrated(read_network(weights), clips, args.percentile)
    content = {
        "weights": hash_of(weights),
        "made": f"{args.percentile} percentile over {args.clips} rendered clips of {FRAMES} frames, {CROP} x {CROP}",
        "ranges": ranges,
    }
    write_whole(ranges_path(weights), (json.dumps(content, indent=1) + "\n").encode())
    print(f"{len(ranges)} ranges in {ranges_path(weights)}")


if __name__ == "__main__":
    main()
