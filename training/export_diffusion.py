"""A checkpoint of train_diffusion becomes the .onnx files that ship: the denoiser, its frozen base, a larger relighter.

python -m training.export_diffusion CHECKPOINT FOLDER [--base BASE.onnx] [--large L.onnx] [--version NAME]

The checkpoint may be a diffusion.onnx that was exported: so one that ships is put upon a new base, or trained on.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from torch.utils.flop_counter import FlopCounterMode

from livelight.relight import model_path
from livelight.runtimes.torch_runtime import read_network, stored_weights
from offline.diffusion_network import DiffusionNetwork, DiffusionSize
from offline.own_model import weights_folder
from training.export import halve_weights

OPSET = 18
NOTED = ("version", "step", "width", "depth")
INPUTS = ("x", "sigma", "image", "matte", "light", "state8", "state16")


def example(network: DiffusionNetwork, frames: int, h: int, w: int) -> tuple[torch.Tensor, ...]:
    """Inputs of the exported graph."""
    x, image = torch.randn(frames, 3, h // 2, w // 2), torch.rand(frames, 3, h, w)
    matte = torch.rand(frames, 1, h // 2, w // 2)
    return x, torch.ones(1), image, matte, torch.ones(frames, 3, 16, 16), *network.base.start(frames, h, w)


def export(network: DiffusionNetwork, out: Path, properties: dict[str, Any]) -> None:
    """Write ``network`` as ONNX, float32; frames, height and width (multiples of 16) stay free; checked in full."""
    file, inputs = io.BytesIO(), example(network, 3, 64, 96)
    axes = {
        name: {0: "frames", 2: f"{name}_rows", 3: f"{name}_columns"}
        for name in ("x", "image", "matte", "state8", "state16")
    }
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            inputs,
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=["clean"],
            dynamic_axes=axes | {"light": {0: "frames"}, "clean": axes["x"]},
            do_constant_folding=False,  # weights keep the names that torch looks for
        )
        with FlopCounterMode(display=False) as counter:
            network(*inputs)
    model = onnx.load_from_string(file.getvalue())
    per_pixel = counter.get_total_flops() / (3 * 64 * 96)
    halve_weights(model)
    onnx.checker.check_model(model, full_check=True)
    temporary = out.with_suffix(".tmp")
    onnx.save(model, temporary)
    temporary.replace(out)
    states = dict(zip(INPUTS[-2:], (network.base.gru8.c, network.base.gru16.c), strict=True))
    notes = {"flops_per_pixel": round(per_pixel), "state_channels": states, **properties}
    out.with_suffix(".json").write_text(json.dumps(notes, indent=1) + "\n")


def begun(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, or of an exported model its ema (the weights), width, depth, step and version."""
    if path.suffix != ".onnx":
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return saved
    weights = stored_weights(onnx.load(path).graph)
    kept = {name: value for name, value in weights.items() if name.startswith(("unet.", "exposure."))}
    noted = json.loads(path.with_suffix(".json").read_text())
    return {"ema": kept} | {name: noted[name] for name in NOTED}


def load(checkpoint: Path, base: Path) -> tuple[DiffusionNetwork, dict[str, Any]]:
    """The averaged network of a checkpoint upon a base, and all that the checkpoint holds (``begun``)."""
    saved = begun(checkpoint)
    network = DiffusionNetwork(DiffusionSize(saved["width"], saved["depth"]), read_network(base))
    own = {name: value for name, value in saved["ema"].items() if not name.startswith("base.")}
    network.load_state_dict(own, strict=False)  # the exposure head may not be fitted yet
    return network.eval(), saved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", type=model_path, default=model_path("live"), help="the relighter it was trained on")
    parser.add_argument(
        "--large",
        type=Path,
        default=weights_folder() / "diffusion_large.onnx",
        help="the relighter of offline.views.LARGE",
    )
    parser.add_argument("--version", help="name of what comes out")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    network, saved = load(args.checkpoint, args.base)
    properties = {name: saved[name] for name in NOTED} | ({"version": args.version} if args.version else {})
    export(network, args.folder / "diffusion.onnx", properties)
    shutil.copyfile(args.base, args.folder / "diffusion_base.onnx")
    shutil.copyfile(args.large, args.folder / "diffusion_large.onnx")


if __name__ == "__main__":
    main()
