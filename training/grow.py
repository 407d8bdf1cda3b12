"""A larger relighter that begins exactly as good as a smaller one, so that its training does not start from nothing.

python -m training.grow --checkpoint RUN_S/checkpoint.pt --size M --out RUN_M

An exported model (.onnx) will do as the checkpoint, also at its own size: so training goes on from what ships. The
part of its gain that training.fit_person_gain fitted is left out, to be fitted anew.

Writes RUN_M/checkpoint.pt, from which `training.train_relighter --size M --out RUN_M` goes on. After Chen et al.,
Net2Net (ICLR 2016), but with new channels that start at random and that nobody listens to yet: their weights into
the old channels are zero. So the pictures are the same, and gradients reach all of the network from the first step.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor

from livelight.runtimes.depth import INNER, MIXES, TRUNK
from livelight.runtimes.occlusion import DIRECTIONS
from livelight.runtimes.person_gain import PHYSICS
from livelight.runtimes.torch_network import SIZES, NetworkSize, RelightNetwork, load_network, parts_of
from livelight.runtimes.torch_runtime import read_network
from training.checkpoint import Run
from training.optimizer import MuonAdamW

Channels = tuple[str | int, ...]
"""What the channels of a weight are, in order: a name in ``counts``, or so many that all sizes have alike."""
KNOWN: Channels = ("c8", PHYSICS, "c8", PHYSICS, "embed", "embed")
LAYERS: dict[str, tuple[Channels, Channels]] = {
    "stem": (("c2",), (3,)),
    "down4.0": (("c4",), ("c2",)),
    "down4.2": (("c4",), ("c4",)),
    "down8.0": (("c8",), ("c4",)),
    "down8.2": (("c8",), ("c8",)),
    "down16.0": (("c16",), ("c8",)),
    "down16.2": (("c16",), ("c16",)),
    "down16.3": (("c16",), ("c16",)),
    "gru16.gates": (("half16",) * 2, ("half16",) * 2),
    "gru16.candidate": (("half16",), ("half16",) * 2),
    "gru8.gates": (("half8",) * 2, ("half8",) * 2),
    "gru8.candidate": (("half8",), ("half8",) * 2),
    "light_head.0": ((192,), ("c16", "c16")),
    "light_head.2": ((768,), (192,)),
    "attention": (("c16",), ("c16",)),
    "structure": (("c16",), ("c16",)),
    "from_structure": (("c16",), ("c16",)),
    "up8": (("c8",), ("c16", "c8")),
    "up4": (("c4",), ("c8", "c4")),
    "up2": (("detail",), ("c4", "c2")),
    "geometry": ((9,), ("detail",)),
    "matte": ((4,), ("detail",)),
    "embed.0": (("embed",), (768,)),
    "embed.2": (("embed",), ("embed",)),
    "film": (("c8", "c8"), ("embed", "embed")),
    "light8": (("c8",), ("c8",)),
    "light4": (("render",), ("c8", "c4")),
    "light2.": (("render",), ("render", "detail", 15)),
    "light2b": (("render",), ("render",)),
    "out": ((24,), ("render",)),
    "occlusion.coarse": ((DIRECTIONS,), ("c4",)),
    "occlusion.fine": ((DIRECTIONS,), ("detail",)),
    "depth.whole.into": ((TRUNK,), ("c16",)),
    "depth.whole.out": (("c16",), (TRUNK,)),
    "depth.eighth": (("c8",), ("c8",)),
    "depth.quarter": (("c4",), ("c4",)),
    "depth.lit": (("c8",), ("c8",)),
    "person_gain.layers.0": ((96,), KNOWN),
    "person_gain.layers.2": ((96,), (96,)),
    "person_gain.last": ((3,), (96,)),
    "person_gain.fitted": ((3,), KNOWN),
    "person_gain.centre": (KNOWN, ()),
    "person_gain.spread": (KNOWN, ()),
}
"""(outputs, inputs) of every layer, by how its name begins."""
MIX: dict[str, tuple[Channels, Channels]] = {
    "near": ((TRUNK,), (1,)),
    "far": ((TRUNK,), (TRUNK,)),
    "a": ((INNER,), (TRUNK,)),
    "b": ((TRUNK,), (INNER,)),
}
"""The same of each of livelight.runtimes.depth's mixes."""
LAYERS |= {f"depth.whole.layers.{k}.{name}.": channels for k in range(MIXES) for name, channels in MIX.items()}


def counts(size: NetworkSize) -> dict[str, int]:
    """How many channels of each name a network of a size has."""
    c2, c4, c8, c16 = size.widths
    named = {"c2": c2, "c4": c4, "c8": c8, "c16": c16, "half8": c8 // 2, "half16": c16 // 2}
    return named | {"detail": size.detail, "render": size.render, "embed": size.embed}


def places(channels: Channels, small: dict[str, int], large: dict[str, int]) -> Tensor:
    """Where each channel of the small network's weight lies in the large one's (n,)."""
    found, start = [], 0
    for name in channels:
        # What a GRU remembers is the second half of its channels: the halves grow one by one.
        parts = [f"half{name[1:]}"] * 2 if name in ("c8", "c16") else [name]
        for part in parts:
            old, new = (part, part) if isinstance(part, int) else (small[part], large[part])
            found.append(torch.arange(old) + start)
            start += new
    return torch.cat(found)


def grown(weights: Mapping[str, Tensor], size: str, larger: str) -> dict[str, Tensor]:
    """The weights of a network of size `larger` that does what these of `size` do. Sizes are names in SIZES.

    Raises ValueError if a channel count would shrink.
    """
    small, large = counts(SIZES[size]), counts(SIZES[larger])
    if shrinks := [name for name in small if large[name] < small[name]]:
        raise ValueError(f"{larger} has fewer channels than {size} ({', '.join(shrinks)}): choose a larger size")
    out = RelightNetwork(SIZES[larger], **parts_of(weights)).state_dict()
    for name, value in weights.items():
        layer = max((key for key in LAYERS if name.startswith(key)), key=len)
        rows = places(LAYERS[layer][0], small, large)
        if layer == "structure":  # brought to length 1, so here the new channels are silent, and are listened to
            out[name].zero_()
        if value.ndim == 1:
            out[name][rows] = value
            continue
        if layer != "from_structure":
            out[name][rows] = 0
        out[name][rows[:, None], places(LAYERS[layer][1], small, large)] = value
    return out


def begun(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, or of an exported model its ema (the weights), size, step and version."""
    if path.suffix != ".onnx":
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return saved
    meta = {p.key.removeprefix("livelight."): p.value for p in onnx.load(path).metadata_props}
    return {"ema": read_network(path).state_dict(), "step": int(meta["steps"])} | {
        name: meta[name] for name in ("size", "version")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint or .onnx of the smaller network")
    parser.add_argument("--size", required=True, choices=sorted(SIZES), help="size to grow to")
    parser.add_argument("--out", type=Path, required=True, help="run folder of the larger network")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    saved = begun(args.checkpoint)
    network = load_network(args.size, grown(saved["ema"], saved["size"], args.size))
    if network.person_gain is not None:
        network.person_gain.unfit()
    optimizer = MuonAdamW(network, rate=0.0)  # training.train_relighter sets the rate of every step
    args.out.mkdir(parents=True, exist_ok=True)
    Run(network, network, optimizer, None, args.size, "ours", saved["step"]).save(args.out / "checkpoint.pt")


if __name__ == "__main__":
    main()
