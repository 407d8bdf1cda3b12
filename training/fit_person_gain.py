"""Fit the last, linear part of the relighter's gain for the whole person by least squares: no gradient, no forgetting.

python -m training.fit_person_gain CHECKPOINT --train BAKED ... --val BAKED --out NEW

What is to be explained is the best log gain per colour that the network leaves on each sample of training.bake,
weighted as pixels count for PSNR. The ridge is the best one on the val samples. A checkpoint from before this part was
there gets it.

How bright a person is under a new light is learnt from many people, and forgotten with few. --keep corrects the fit
that is there, by as little as the ridge says, on people who are new to it; the checkpoint may be an exported model.
--teacher MODEL.onnx explains in place of the truth how bright another relighter makes these people.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from livelight.runtimes.torch_network import SIZES, Painting, RelightNetwork, Source, parts_of, whole_person
from livelight.runtimes.torch_runtime import read_network
from training.bake import BakedSamples
from training.composite import composite
from training.grow import begun
from training.losses import DARK

RIDGES = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)
"""Tried, as shares of the mean square of a statistic."""
FLOOR = 1e-3
"""Mean squared error below which a sample counts no more: PSNR is a logarithm of it."""
MOST = 1.0
"""Largest log gain asked for, natural logarithm of coded values."""

Row = tuple[Tensor, Tensor, Tensor]
"""Statistics (s,), log gain to be explained (3,), weight (3,)."""


def rows(
    network: RelightNetwork, samples: Iterable[dict[str, Tensor]], teacher: RelightNetwork | None = None
) -> Iterator[Row]:
    """One row per sample, of its last frame. teacher: whose picture is to be reached in place of the truth."""
    for sample in samples:
        light = sample["target_light"][None]
        source, painting, relit = last_frame(network, sample)
        target = sample["target"][-1] if teacher is None else last_frame(teacher, sample)[2]
        mask = sample["alpha"][-1]
        weight = mask * (relit + DARK) ** 2
        ratio = torch.log((target + DARK) / (relit + DARK)).clamp(-MOST, MOST)
        error = ((relit - target) ** 2 * mask).sum() / (3 * mask.sum() + 1)
        total = weight.sum((1, 2))
        yield (
            told(network, source, painting.shading[:, :3], light)[0],
            (ratio * weight).sum((1, 2)) / (total + 1e-6),
            total / ((mask.sum() + 1) * (error + FLOOR)),
        )


def last_frame(network: RelightNetwork, sample: dict[str, Tensor]) -> tuple[Source, Painting, Tensor]:
    """What a network knows of a sample's last frame, after those before, and that frame relit (3, h, w)."""
    image, alpha = sample["image"], sample["alpha"]
    state = network.start(1, *image.shape[-2:])
    for frame in image:
        source = network.analyse(frame[None], *state)
        state = (source.state8, source.state16)
    painting = network.paint(source, sample["target_light"][None])
    return source, painting, composite(image[-1:], alpha[-1:], *network.applied(source, painting))[0].clamp(0, 1)


def told(network: RelightNetwork, source: Source, new: Tensor, light: Tensor) -> Tensor:
    """What the gain is told from (1, s)."""
    assert network.person_gain is not None
    lights = torch.cat([network.embed(torch.log(1 + t.flatten(1))) for t in (source.source_light, light)], 1)
    return network.person_gain.statistics(*whole_person(source, new), lights)


def columns(found: list[Row]) -> Row:
    """The rows, stacked, in float64."""
    known, goal, weight = (torch.stack(column).double() for column in zip(*found, strict=True))
    return known, goal, weight


def fitted(known: Tensor, goal: Tensor, weight: Tensor, ridge: float) -> Tensor:
    """Weights (3, s + 1), the bias last, of scaled statistics (n, s); goal and weight (n, 3)."""
    x = torch.cat([known, torch.ones_like(known[:, :1])], 1)
    solved = []
    for colour in range(3):
        w = weight[:, colour : colour + 1]
        cost = ridge * w.sum() * torch.eye(x.shape[1], dtype=x.dtype)
        cost[-1, -1] = 0
        solved.append(torch.linalg.solve(x.T @ (w * x) + cost, x.T @ (w[:, 0] * goal[:, colour])))
    return torch.stack(solved)


def left(known: Tensor, goal: Tensor, weight: Tensor, weights: Tensor) -> float:
    """Weighted squares that the fit leaves, as a share of those without it."""
    guess = known @ weights[:, :-1].T + weights[:, -1]
    return float((weight * (goal - guess) ** 2).sum() / (weight * goal**2).sum())


def fit(
    network: RelightNetwork, train: list[Row], val: list[Row], keep: bool = False
) -> dict[float, tuple[float, float]]:
    """Set the network's fitted part, or correct it (keep); what every ridge leaves of train and val squares."""
    head = network.person_gain
    assert head is not None
    if not keep:
        seen = torch.stack([known for known, _, _ in train])
        head.centre.copy_(seen.mean(0))
        head.spread.copy_(seen.std(0) + 1e-3)
        head.unfit()
    (known, goal, weight), (known_val, *truth_val) = columns(train), columns(val)
    x, x_val = (head.scaled(k.float()).double() for k in (known, known_val))
    tried = {ridge: fitted(x, goal, weight, ridge) for ridge in RIDGES}
    shares = {r: (left(x, goal, weight, w), left(x_val, *truth_val, w)) for r, w in tried.items()}
    best = tried[min(shares, key=lambda ridge: shares[ridge][1])].float()
    head.fitted.weight.add_(best[:, :-1])
    head.fitted.bias.add_(best[:, -1])
    return shares


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="folders of training.bake")
    parser.add_argument("--val", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--keep", action="store_true", help="correct the fit that is there")
    parser.add_argument("--teacher", type=Path, help="exported model that knows better how bright people are")
    parser.add_argument("--version", help="name of what comes out")
    args = parser.parse_args()
    saved = begun(args.checkpoint)
    network = RelightNetwork(SIZES[saved["size"]], **(parts_of(saved["ema"]) | {"person_gain": True})).eval()
    network.load_state_dict(saved["ema"], strict=False)
    assert network.person_gain is not None
    if not args.keep:
        network.person_gain.unfit()
    teacher = read_network(args.teacher) if args.teacher else None
    found = {}
    for name, folders in (("val", args.val), ("train", args.train)):
        samples = [BakedSamples(folder) for folder in folders]
        found[name] = list(rows(network, (s[k] for s in samples for k in range(len(s))), teacher))
        print(f"{name}: {len(found[name])} samples", flush=True)
    for ridge, (train, val) in fit(network, found["train"], found["val"], args.keep).items():
        print(f"ridge {ridge}: train {train:.3f} val {val:.3f}", flush=True)
    saved |= {"ema": network.state_dict()} | ({"version": args.version} if args.version else {})
    torch.save(saved, args.out)


if __name__ == "__main__":
    main()
