"""Rendered clips, lit and filmed once and stored: a training set that costs its trainer next to no CPU.

python -m training.bake --data DIR --out FOLDER [--split train] [--count 4000] [--crop 128]

One .npz per sample, uncompressed; see ``stored``. A run that was stopped goes on after its last whole file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from training.samples import Samples

LEAST_PERSON = 0.03
"""Samples in which less of the picture is person teach nothing, and are left out."""

BYTES = ("image", "target", "alpha", "seen")


def stored(sample: dict[str, Tensor]) -> dict[str, NDArray[np.generic]]:
    """What is kept of a sample of training.samples.Samples (t frames, h x w pixels).

    image, target (t, 3, h, w), alpha (t, 1, h, w), seen (t - 1, 1, h, w): uint8, 255 is 1. flow_bwd (t - 1, h, w, 2):
    float16 pixels. target_light (3, 16, 16): float32.
    """
    kept: dict[str, NDArray[np.generic]] = {
        name: np.rint(sample[name].numpy().clip(0, 1) * 255).astype(np.uint8) for name in BYTES
    }
    return kept | {
        "flow_bwd": sample["flow_bwd"].numpy().astype(np.float16),
        "target_light": sample["target_light"].numpy(),
    }


class BakedSamples(Dataset[dict[str, Tensor]]):
    """The samples of a folder, those that were there when it was opened, as float32 tensors of the shapes above."""

    def __init__(self, folder: Path) -> None:
        """Raises FileNotFoundError if the folder has no sample."""
        self._paths = sorted(folder.glob("*.npz"))
        if not self._paths:
            raise FileNotFoundError(f"no baked samples in {folder}; run python -m training.bake")

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        with np.load(self._paths[index]) as arrays:
            tensors = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files}
        return {name: value / 255 if name in BYTES else value for name, value in tensors.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of rendered clips")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="train", choices=["train", "val", "test"])
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--crop", type=int, default=128, help="pixels, a multiple of 16")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    done = len(list(args.out.glob("*.npz")))
    stream = iter(Samples(args.data, args.split, args.crop, args.frames, seed=args.seed + 7919 * done))
    while done < args.count:
        sample = next(stream)
        if float(sample["alpha"].mean()) < LEAST_PERSON:
            continue
        part = args.out / "next.part"
        with part.open("wb") as file:
            np.savez(file, **stored(sample))  # type: ignore[arg-type]
        part.replace(args.out / f"{done:06d}.npz")
        done += 1
        if done % 100 == 0:
            print(f"{done} of {args.count}", flush=True)


if __name__ == "__main__":
    main()
