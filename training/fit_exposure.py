"""Fit the exposure head of the diffusion network by least squares, and write it into a checkpoint of train_diffusion.

python -m training.fit_exposure CHECKPOINT --data BAKED [--count 3000] [--base BASE.onnx] [--out NEW]

What is to be explained is what the base leaves. The trained network's answer at the highest noise is one more basis,
whose weight, from 0 to 1, says how far it is to be trusted. Pixels count as they do for PSNR: by how much the picture
moves with z, against the error that the picture has. The ridge is the best one on the val split.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from livelight.relight import model_path
from offline.diffusion_network import DiffusionNetwork, Told, difference
from offline.exposure_head import BASES, SMALL, bases_of, half, maps_of, statistics
from offline.level import SOFT, SPREAD
from training.bake import BakedSamples
from training.export_diffusion import load
from training.train_diffusion import FLOOR, TOP, look

RIDGES = (300.0, 1000.0, 3000.0, 10000.0, 30000.0, 1e5, 1e6)


def seen(network: DiffusionNetwork, sample: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of the last frame: statistics (s,), bases (BASES + 1, 3, h, w), what is to be explained, weights (3, h, w).

    The last basis is the trained network's answer, in logarithms as the others.
    """
    batch = {name: value[None] for name, value in sample.items()}
    told, light = look(network, batch)
    last = Told(*(last_of(x) for x in vars(told).values()))
    x = torch.randn(1, 3, *told.matte.shape[-2:]) * TOP
    z = network.corrected(x, torch.full((1, 1, 1, 1), TOP), last, light[-1:], 1)
    s, p = last.source, last.painting
    known = statistics(
        maps_of(last.image, last.base, last.gain, last.offset, s, p), last.matte, s.source_light, light[-1:]
    )
    target, alpha = batch["target"][0, -1:], batch["alpha"][0, -1:]
    goal = difference(last.base, target).clamp(-6, 6) * SPREAD
    error = (((last.base - target) ** 2) * alpha).sum() / (3 * alpha.sum())
    weight = half(alpha) * (half(last.base) + SOFT) ** 2 / (alpha.sum() * (error + FLOOR))
    bases = torch.cat([bases_of(last.base, s, p)[0], z * SPREAD])
    return known[0], bases, goal[0], weight[0]


def last_of(x: Tensor | tuple[Tensor | None, ...]) -> Any:
    """The last frame of a tensor, or of every tensor of a named tuple."""
    if isinstance(x, Tensor):
        return x[-1:]
    return type(x)(*(None if y is None else y[-1:] for y in x))  # type: ignore[call-arg]


def columns(network: DiffusionNetwork, known: Tensor, bases: Tensor) -> tuple[Tensor, Tensor]:
    """Every unknown's factor: statistics' part (d,), and which basis each belongs to (d,). The last is the trust."""
    every, few = network.exposure.scaled(known[None])
    counts = [every.shape[1]] + [few.shape[1]] * (BASES - 1) + [1]
    which = torch.arange(BASES + 1).repeat_interleave(torch.tensor(counts))
    return torch.cat([every[0]] + [few[0]] * (BASES - 1) + [torch.ones(1)]), which


class Sums:
    """Normal equations per colour."""

    def __init__(self) -> None:
        self.a: list[Tensor] = []
        self.b: list[Tensor] = []
        self.c = torch.zeros(3, dtype=torch.float64)

    def add(self, factors: Tensor, which: Tensor, bases: Tensor, goal: Tensor, weight: Tensor) -> None:
        for colour in range(3):
            flat, w, g = bases[:, colour].flatten(1), weight[colour].flatten(), goal[colour].flatten()
            gram, moment = (flat * w) @ flat.T, (flat * w) @ g
            a = torch.outer(factors, factors) * gram[which][:, which]
            b = factors * moment[which]
            if len(self.a) <= colour:
                self.a.append(a.double())
                self.b.append(b.double())
            else:
                self.a[colour] += a
                self.b[colour] += b
            self.c[colour] += (w * g * g).sum()

    def left(self, weights: list[Tensor]) -> float:
        """Weighted squares that remain, as a share of those without the head."""
        remain = sum(
            float(c - 2 * w @ b + w @ a @ w) for w, a, b, c in zip(weights, self.a, self.b, self.c, strict=True)
        )
        return remain / float(self.c.sum())


def solved(sums: Sums, ridge: float) -> list[Tensor]:
    identity = torch.eye(len(sums.b[0]), dtype=torch.float64)
    identity[-1, -1] = 1e-6  # the trust is one number, and small answers must not be penalised for being small
    scale = float(torch.stack(sums.a).diagonal(0, 1, 2).mean())
    return [trusting(a + ridge * 1e-4 * scale * identity, b) for a, b in zip(sums.a, sums.b, strict=True)]


def trusting(a: Tensor, b: Tensor) -> Tensor:
    """The least squares of normal equations a (d, d), b (d,) whose last weight is from 0 to 1."""
    weights = torch.linalg.solve(a, b)
    trust = weights[-1:].clamp(0, 1)
    if trust == weights[-1:]:
        return weights
    return torch.cat([torch.linalg.solve(a[:-1, :-1], b[:-1] - a[:-1, -1] * trust), trust])


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="of train_diffusion, or an exported diffusion.onnx")
    parser.add_argument("--data", type=Path, required=True, help="folder with train and val of training.bake")
    parser.add_argument("--base", type=model_path, default=model_path("live"), help="the relighter it is to stand on")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.checkpoint.suffix == ".onnx" and args.out is None:
        parser.error("an exported model is not written into: say --out NEW.pt")
    network, saved = load(args.checkpoint, args.base)
    head = network.exposure
    train, val = BakedSamples(args.data / "train"), BakedSamples(args.data / "val")
    first = torch.stack([seen(network, train[k])[0] for k in range(min(200, len(train)))])
    head.centre.copy_(first.mean(0))
    head.spread.copy_(first.std(0) + 1e-3)
    sums = {"train": Sums(), "val": Sums()}
    for name, samples, count in (("val", val, len(val)), ("train", train, args.count)):
        for k in range(min(count, len(samples))):
            known, bases, goal, weight = seen(network, samples[k])
            sums[name].add(*columns(network, known, bases), bases, goal, weight)
            if k % 250 == 249:
                print(f"{name} {k + 1}", flush=True)
                if name == "train":
                    best(sums)
    weights = best(sums)
    count = len(head.first)
    few = 2 * SMALL + 14
    for colour, w in enumerate(weights):
        head.first[:, colour] = w[:count].float()
        for k in range(BASES - 1):
            head.others[k, :, colour] = w[count + k * few : count + (k + 1) * few].float()
        head.trust[colour] = w[-1].float()
    print(f"trust in the trained network: {head.trust.tolist()}", flush=True)
    saved["ema"] = network.state_dict()
    torch.save(saved, args.out or args.checkpoint)


def best(sums: dict[str, Sums]) -> list[Tensor]:
    """The weights whose ridge leaves least on the val split."""
    tried = {ridge: solved(sums["train"], ridge) for ridge in RIDGES}
    left = {ridge: sums["val"].left(weights) for ridge, weights in tried.items()}
    for ridge, share in left.items():
        print(f"ridge {ridge:.0f}: train {sums['train'].left(tried[ridge]):.3f} val {share:.3f}", flush=True)
    return tried[min(left, key=lambda ridge: left[ridge])]


if __name__ == "__main__":
    main()
