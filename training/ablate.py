"""The ablation: every variant trained equally long from scratch on the same data, then measured in one run.

python -m training.ablate --data DATA --out FOLDER [--steps 400] [--variants NAME ...]

Trains what has no checkpoint of that many steps yet, one after the other, and prints the table of training.evaluate in
NVPR's order, with the dynamic-light test; writes Markdown and JSON to --out. Any option of training.train_relighter
that is not named here goes after ``--``: ``-- --batch 4 --crop 96``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import torch

from livelight.runtimes.torch_network import load_network
from training.evaluate import Figures, dynamic_table, figures_of, mean_of, run, table
from training.held_out import held_out_clips
from training.methods import Method, nothing, torch_network
from training.sipr import PlainNetwork, plain

VARIANTS = {
    "ours": [],
    "without structure": ["--without", "structure"],
    "without temporal": ["--without", "temporal", "real_temporal"],
    "without parsing": ["--without", "matte", "real_matte"],
    "without sampling": ["--without", "sampling"],
    "without critic": ["--without", "critic"],
    "without prints": ["--without", "prints"],
    "SIPR-style": ["--network", "sipr"],
}
"""What each variant says to training.train_relighter."""


def train(name: str, data: Path, out: Path, steps: int, more: list[str]) -> Path:
    """The checkpoint of a variant after so many steps. Raises subprocess.CalledProcessError if training fails."""
    folder = out / name.replace(" ", "_")
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists() and torch.load(checkpoint, map_location="cpu", weights_only=True)["step"] >= steps:
        return checkpoint
    words = ["--data", str(data), "--out", str(folder), "--steps", str(steps), *VARIANTS[name], *more]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.txt").open("a") as log:
        subprocess.run([sys.executable, "-m", "training.train_relighter", *words], stdout=log, check=True)
    return checkpoint


def method_of(checkpoint: Path) -> Method:
    """The moving average of a checkpoint under the contract of training.methods."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if saved["kind"] == "sipr":
        network = PlainNetwork(saved["size"])
        network.load_state_dict(saved["ema"])
        return plain(network.eval())
    return torch_network(load_network(saved["size"], saved["ema"]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS), metavar="NAME")
    parser.add_argument("--split", default="val", choices=["val", "test"])
    parser.add_argument("--per-clip", type=int, default=2)
    parser.add_argument("--crop", type=int, default=192)
    parser.add_argument("--dynamic", type=int, default=2, help="people of the dynamic-light test; 0 leaves it out")
    parser.add_argument("more", nargs="*", help="options of training.train_relighter, after --")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    trained = {name: train(name, args.data, args.out, args.steps, args.more) for name in args.variants}
    methods: dict[str, Method] = {"nothing": nothing} | {name: method_of(path) for name, path in trained.items()}
    rows: dict[str, list[Figures]] = defaultdict(list)
    for clip in held_out_clips(args.data, args.split, args.per_clip, args.crop):
        for name, method in methods.items():
            rows[name].append(figures_of(run(method, clip), clip))
    figures = {name: mean_of(values) for name, values in rows.items()}
    texts = [f"{args.split} split, {args.steps} steps each", table("variant", figures)]
    dynamic: dict[str, list[float]] = {}
    if args.dynamic:
        text, dynamic = dynamic_table(methods, args.data, args.split, args.dynamic)
        texts.append(text)
    print("\n\n".join(texts))
    (args.out / "tables.md").write_text("\n\n".join(texts) + "\n")
    report = {"steps": args.steps, "variants": figures, "dynamic_light": dynamic}
    (args.out / "figures.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
