"""Train the video diffusion relighter on baked samples. One loop, read top to bottom; resumes from its checkpoint.

python -m training.bake --data DIR --out BAKED/train; python -m training.bake --data DIR --out BAKED/val --split val
python -m training.train_diffusion --data BAKED --out RUN [--width 24] [--hours 1]

--width scales the network (24: two CPU cores; 96 and up: a data-centre card); --depth, --batch and a larger bake go
with it. So that it learns what the linear head cannot tell: begin with --hours 0.001, run training.fit_exposure on the
checkpoint, then train on.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

from livelight.relight import model_path
from offline.diffusion_network import LIMIT, DiffusionNetwork, DiffusionSize, Told, applied, difference
from offline.level import SPREAD
from training.bake import BakedSamples
from training.checkpoint import fast_bfloat16
from training.diffusion_run import DiffusionRun
from training.export_diffusion import begun
from training.losses import best_gain, gradient_l1, masked_l1, temporal_l1

TOP = 80.0
"""The noise that sampling begins with."""
LOW = 0.1
FROM_TOP = 0.85
"""Share of clips that are trained from pure noise, where few-step sampling spends its first step; the rest lie between
LOW and TOP, evenly on the log scale."""

STILL = 0.5
"""Share of steps on single frames of many people; the others are on whole clips of a few."""
CHECKED = 32
"""Val samples of a look."""
LOG_EVERY = 25

WEIGHTS = {"error": 0.03, "shape": 0.1, "edges": 0.6, "colour": 0.5, "temporal": 0.3, "outside": 0.02}
FLOOR = 1e-3
"""Mean squared error below which a clip is good enough: added before the logarithm."""
EASY = 0.2
"""Weight of a clip that is shown a good part of the answer: logarithms would let such clips speak loudest."""

Batch = dict[str, Tensor]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train and val of training.bake")
    parser.add_argument("--out", type=Path, required=True, help="run folder: checkpoint, TensorBoard logs")
    parser.add_argument("--base", type=model_path, default=model_path("live"), help="the frozen relighter, .onnx")
    parser.add_argument("--unet", type=Path, help="checkpoint or diffusion.onnx whose UNet a new run begins with")
    parser.add_argument("--width", type=int, default=24, help="a multiple of 8")
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--hours", type=float, default=1.0, help="wall time at which the learning rate reaches 0")
    parser.add_argument("--batch", type=int, default=3, help="clips per step, or so many times more single frames")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-temporal", action="store_true", help="frames by themselves, for the ablation")
    parser.add_argument("--check-every", type=float, default=900, help="seconds between looks at the val split")
    return parser.parse_args()


def look(network: DiffusionNetwork, batch: Batch) -> tuple[Told, Tensor]:
    """What the base knows of every frame of some clips, frame after frame with its state, and the lights.

    Told and lights are (clips * frames, ...), frames of a clip one after the other.
    """
    image = batch["image"]
    b, frames, _, h, w = image.shape
    states8, states16 = [], []
    state = network.base.start(b, h, w)
    with torch.no_grad():
        for t in range(frames):
            states8.append(state[0])
            states16.append(state[1])
            if t + 1 < frames:
                source = network.base.analyse(image[:, t], *state)
                state = (source.state8, source.state16)
    light = batch["target_light"][:, None].expand(-1, frames, -1, -1, -1).flatten(0, 1)
    before = (torch.stack(states, 1).flatten(0, 1) for states in (states8, states16))
    matte = F.avg_pool2d(batch["alpha"].flatten(0, 1), 2)
    return network.look(image.flatten(0, 1), matte, light, *before), light


def composed(told: Told, z: Tensor, alpha: Tensor) -> Tensor:
    """The relit person before their own room, as the metrics see them; (n, 3, h, w)."""
    return told.image + alpha * (applied(told.base, z) - told.image)


def noised(z: Tensor, clips: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """z (clips * frames, 3, h, w) with one noise per clip, shared by its frames; sigma (clips * frames, 1, 1, 1)."""
    frames = z.shape[0] // clips
    uniform = torch.rand(clips, 2, generator=generator).to(z.device)
    sigma = torch.exp(math.log(LOW) + uniform[:, 0] * math.log(TOP / LOW))
    sigma = torch.where(uniform[:, 1] < FROM_TOP, torch.full_like(sigma, TOP), sigma)
    noise = torch.randn(clips, *z.shape[1:], generator=generator).to(z.device)
    sigma, noise = (v.repeat_interleave(frames, 0) for v in (sigma.view(-1, 1, 1, 1), noise))
    return z + sigma * noise, sigma


def clip_losses(network: DiffusionNetwork, batch: Batch, generator: torch.Generator, temporal: bool) -> Batch:
    """Every loss term over a batch of training.bake samples (b, t, ...); see the module for the weights."""
    b, frames = batch["image"].shape[:2]
    told, light = look(network, batch)
    alpha, target = batch["alpha"].flatten(0, 1), batch["target"].flatten(0, 1)
    top, small = LIMIT / SPREAD, F.avg_pool2d(alpha, 2)
    x, sigma = noised(difference(told.base, target).clamp(-top, top) * small, b, generator)
    z = network.denoise(x, sigma, told, light, b if temporal else b * frames)
    relit = composed(told, z, alpha)
    told_little = torch.where(sigma.view(b, -1)[:, 0] < TOP, EASY, 1.0)

    def error(picture: Tensor) -> Tensor:  # the mean PSNR of clips, but for the floor
        squared = ((picture - target) ** 2).mean(1, keepdim=True) * alpha
        each = squared.view(b, -1).sum(1) / alpha.view(b, -1).sum(1)
        return (torch.log(each + FLOOR) * told_little).mean()

    clips = relit.view(b, frames, *relit.shape[1:])
    pairs = [(clips[:, t], clips[:, t + 1], batch["flow_bwd"][:, t], batch["seen"][:, t]) for t in range(frames - 1)]
    terms = {
        "error": error(relit),
        # Which of few people is how bright is soon known by heart, and outweighs how they are shaded.
        "shape": error(relit * best_gain(relit, target, alpha)),
        "edges": gradient_l1(relit, target, alpha),
        "colour": masked_l1(relit - relit.mean(1, keepdim=True), target - target.mean(1, keepdim=True), alpha),
        "outside": masked_l1(z, torch.zeros_like(z), 1 - small),
    }
    if pairs:
        terms["temporal"] = torch.stack([temporal_l1(*pair) for pair in pairs]).mean()
    return terms


def stills(batch: Batch, generator: torch.Generator) -> Batch:
    """One frame of every clip, as clips of one frame."""
    frames = batch["image"].shape[1]
    t = int(torch.randint(frames, (1,), generator=generator))
    names = ("image", "target", "alpha")
    return batch | {name: batch[name][:, t : t + 1] for name in names}


def clips_of(batch: Batch) -> Batch:
    """As many whole clips as have the frames that ``stills`` would leave."""
    clips = batch["image"].shape[0] // batch["image"].shape[1]
    return {name: value[:clips] for name, value in batch.items()}


@torch.no_grad()
def sampled(network: DiffusionNetwork, told: Told, light: Tensor, sigmas: list[float], seed: int) -> Tensor:
    """z of one clip after Euler steps through the noise levels, the last of which is 0."""
    generator = torch.Generator().manual_seed(seed)
    n, c, h, w = told.base.shape
    noise = torch.randn(1, c, h // 2, w // 2, generator=generator).to(told.base.device)
    x = noise.expand(n, -1, -1, -1) * math.sqrt(1 + sigmas[0] ** 2)
    for sigma, after in pairwise(sigmas):
        clean = network.denoise(x, torch.full((1, 1, 1, 1), sigma, device=x.device), told, light, 1)
        x = clean + after / sigma * (x - clean)
    return x


def check(network: DiffusionNetwork, data: Path, device: torch.device) -> dict[str, float]:
    """Mean PSNR of the last frame over the baked val split, raw and after the best gain: base, one and two steps."""
    errors: dict[str, list[float]] = defaultdict(list)
    samples = BakedSamples(data / "val")
    for k in range(min(CHECKED, len(samples))):
        batch = {name: value[None].to(device) for name, value in samples[k].items()}
        told, light = look(network, batch)
        alpha, target = batch["alpha"][0], batch["target"][0]
        for name, sigmas in {"base": [], "one step": [TOP, 0.0], "two steps": [TOP, 1.0, 0.0]}.items():
            z = sampled(network, told, light, sigmas, k) if sigmas else torch.zeros_like(told.base[..., ::2, ::2])
            relit, mask = composed(told, z, alpha)[-1:].clamp(0, 1), alpha[-1:]
            gain = best_gain(relit, target[-1:], mask)
            for kind, picture in ((name, relit), (f"{name} si", relit * gain)):
                error = ((picture - target[-1:]) ** 2).mean(1, keepdim=True)
                errors[kind].append(-10 * math.log10(float((error * mask).sum() / mask.sum()) + 1e-9))
    return {name: float(np.mean(values)) for name, values in errors.items()}


def batches(args: argparse.Namespace, generator: torch.Generator) -> Iterator[Batch]:
    """Whole clips of a few people, and single frames of many, by chance."""
    while True:
        samples = BakedSamples(args.data / "train")  # opened anew for every round: samples may still be baking
        loaded = args.batch * samples[0]["image"].shape[0]
        for stored in DataLoader(samples, loaded, shuffle=True, drop_last=True, generator=generator):
            still = bool(torch.rand((), generator=generator) < STILL)
            yield stills(stored, generator) if still else clips_of(stored)


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint, total_s = args.out / "checkpoint.pt", args.hours * 3600
    unet = begun(args.unet)["ema"] if args.unet and not checkpoint.exists() else None
    run = DiffusionRun.begun(DiffusionSize(args.width, args.depth), args.base, args.rate, checkpoint, device, unet)
    generator = torch.Generator().manual_seed(args.seed + run.step)
    writer = SummaryWriter(str(args.out))
    last_save = last_check = last = time.monotonic()
    running: dict[str, float] = defaultdict(float)
    for stored in batches(args, generator) if run.trained_s < total_s else ():
        batch = {name: value.to(device, non_blocking=True) for name, value in stored.items()}
        progress = min(run.trained_s / total_s, 1.0)
        rate = args.rate * min(1.0, (run.step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        with torch.autocast(device.type, torch.bfloat16, enabled=fast_bfloat16(device)):
            terms = clip_losses(run.network, batch, generator, not args.no_temporal)
        loss = sum((WEIGHTS[name] * value.float() for name, value in terms.items()), torch.zeros((), device=device))
        run.take(loss, rate)
        run.trained_s, last = run.trained_s + time.monotonic() - last, time.monotonic()
        for name, value in {"loss": loss, **terms}.items():
            running[name] += value.item() / (LOG_EVERY * (1 - STILL) if name == "temporal" else LOG_EVERY)
        if run.step % LOG_EVERY == 0:
            for name, mean in running.items():
                writer.add_scalar(name, mean, run.step)
            line = " ".join(f"{name} {mean:.4f}" for name, mean in running.items())
            print(f"step {run.step} {run.trained_s / 60:.1f} min rate {rate:.1e} {line}", flush=True)
            running.clear()
        over = run.trained_s >= total_s
        if over or time.monotonic() - last_check > args.check_every:
            figures = check(run.average, args.data, device)
            print("val " + " ".join(f"{name} {value:.2f} dB" for name, value in figures.items()), flush=True)
            last_check = time.monotonic()
        if over or time.monotonic() - last_save > 120:
            run.save(checkpoint)
            last_save = time.monotonic()
        if over:
            break
    (args.out / "arguments.json").write_text(json.dumps({k: str(v) for k, v in vars(args).items()}, indent=1))
    writer.close()


if __name__ == "__main__":
    main()
