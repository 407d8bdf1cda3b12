"""Train the relighter on rendered clips. One loop, read top to bottom; resumes from its checkpoint.

python -m training.train_relighter --data DIR --out RUN --size S --hours 1
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

from livelight.runtimes.torch_network import SIZES, RelightNetwork, code_solid_angles
from training.composite import composite
from training.losses import (
    best_gain,
    blotches,
    gradient_l1,
    light_l1,
    log_pictures,
    masked_l1,
    matte_loss,
    normal_cosine,
    real_losses,
    temporal_l1,
)
from training.real_clips import RealSamples
from training.samples import Samples

WEIGHTS = {
    "relit": 0.4,
    "relit_scaled": 1.0,
    "relit_edges": 1.0,
    "relit_dark": 0.2,
    "blotches": 0.4,
    "offset": 0.7,
    "self": 0.4,
    "light": 0.15,
    "light_balls": 0.15,
    "shading": 0.6,
    "normals": 0.8,
    "albedo": 0.3,
    "matte": 0.2,
    "temporal": 0.5,
    "outside": 0.02,
    "real_matte": 0.2,
    "real_normals": 0.7,
    "real_self": 0.4,
    "real_cycle": 0.2,
    "real_print": 0.2,
    "real_temporal": 0.5,
}
"""Weight of each loss term; 0 switches the term off for an ablation."""

REAL_EVERY, REAL_BATCH = 5, 3
"""Every so many steps, so many real clips teach too (--real)."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of rendered clips")
    parser.add_argument("--real", type=Path, help="folder of training.real_clips: real people teach too")
    parser.add_argument("--out", type=Path, required=True, help="run folder: checkpoint, TensorBoard logs")
    parser.add_argument("--size", default="S", choices=sorted(SIZES))
    parser.add_argument("--hours", type=float, default=1.0, help="wall time at which the learning rate reaches 0")
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--crop", type=int, default=160, help="pixels, a multiple of 16")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--without", nargs="*", default=[], choices=sorted(WEIGHTS), help="terms to switch off")
    return parser.parse_args()


def clip_losses(network: RelightNetwork, batch: dict[str, Tensor], solid_angles: Tensor) -> dict[str, Tensor]:
    """Every loss term over a batch of clips.

    batch: image, target, albedo, normals, shading (b, t, 3, h, w); alpha (b, t, 1, h, w); source_light
    (b, t, 3, 16, 16); target_light (b, 3, 16, 16); flow_bwd (b, t - 1, h, w, 2); seen (b, t - 1, 1, h, w).
    """
    b, frames, _, h, w = batch["image"].shape
    state = network.start(b, h, w)
    terms: dict[str, list[Tensor]] = {name: [] for name in WEIGHTS}
    previous = None
    for t in range(frames):
        image, alpha = batch["image"][:, t], batch["alpha"][:, t]
        source = network.analyse(image, *state)
        state = (source.state8, source.state16)
        gain, offset = network.render(source, batch["target_light"])
        relit = composite(image, alpha, gain, offset)
        mask = (alpha > 0.02).float()
        terms["relit"].append(masked_l1(relit, batch["target"][:, t], mask))
        scale = best_gain(relit, batch["target"][:, t], mask)
        terms["relit_scaled"].append(masked_l1(relit * scale, batch["target"][:, t], mask))
        logs = log_pictures(relit * scale), log_pictures(batch["target"][:, t])
        terms["relit_dark"].append(masked_l1(*logs, mask))
        terms["blotches"].append(blotches(relit, batch["target"][:, t], mask))
        # An offset must earn its place: without a price it becomes a haze that hedges against a wrong exposure.
        terms["offset"].append(masked_l1(offset, torch.zeros_like(offset), mask))
        terms["relit_edges"].append(gradient_l1(relit, batch["target"][:, t], mask))
        if t == frames - 1:  # once per clip: it costs as much as relighting
            own_gain, own_offset = network.render(source, source.source_light)
            terms["self"].append(masked_l1(image * own_gain + own_offset, image, alpha))
        terms["light"].append(light_l1(source.source_light, batch["source_light"][:, t], solid_angles))
        half = F.avg_pool2d(alpha, 2)
        sure = (half > 0.9).float()
        normals = F.normalize(F.avg_pool2d(batch["normals"][:, t], 2), dim=1)
        # What matters of the source light is how it shades this person: the log of its irradiance and gloss at the
        # true normals. It teaches exposure and direction long before the panorama itself can be told.
        shadings = (network.shade(normals, c) for c in (source.source_light, batch["source_light"][:, t]))
        terms["light_balls"].append(masked_l1(*shadings, sure))
        shading = torch.log(F.avg_pool2d(batch["shading"][:, t], 2) + 0.02)
        terms["shading"].append(masked_l1(source.lit + source.shadow, shading, sure))
        terms["normals"].append(normal_cosine(source.normals, normals, sure))
        terms["albedo"].append(masked_l1(source.albedo, F.avg_pool2d(batch["albedo"][:, t], 2), sure))
        terms["matte"].append(matte_loss(source.matte_logit, alpha))
        terms["outside"].append(masked_l1(torch.log(gain), torch.zeros_like(gain), 1 - mask))
        if previous is not None:
            terms["temporal"].append(temporal_l1(previous, relit, batch["flow_bwd"][:, t - 1], batch["seen"][:, t - 1]))
        previous = relit
    return {name: torch.stack(values).mean() for name, values in terms.items() if values}


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    weights = {name: 0.0 if name in args.without else value for name, value in WEIGHTS.items()}

    network = RelightNetwork(SIZES[args.size]).to(device)
    average = RelightNetwork(SIZES[args.size]).to(device)  # exponential moving average: what is evaluated and shipped
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=args.rate, betas=(0.9, 0.99), weight_decay=1e-4)
    step, trained_s = 0, 0.0
    checkpoint = args.out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["ema"])
        optimizer.load_state_dict(saved["optimizer"])
        step, trained_s = saved["step"], saved["trained_s"]

    samples = Samples(args.data, "train", crop=args.crop, seed=args.seed + step)
    loader = iter(
        DataLoader(samples, batch_size=args.batch, num_workers=args.workers, pin_memory=device.type == "cuda")
    )
    real = None
    if args.real:
        real = iter(DataLoader(RealSamples(args.real, crop=args.crop, seed=args.seed + step), batch_size=REAL_BATCH))
    writer = SummaryWriter(str(args.out))
    solid_angles = code_solid_angles().to(device)
    total_s, last_save, last = args.hours * 3600, time.monotonic(), time.monotonic()
    running: dict[str, float] = {}
    while trained_s < total_s:
        batch = {name: value.to(device, non_blocking=True) for name, value in next(loader).items()}
        progress = trained_s / total_s
        rate = args.rate * min(1.0, (step + 1) / 200) * max(0.02, 1 - max(0.0, progress - 0.3) / 0.7)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            terms = clip_losses(network, batch, solid_angles)
            if real is not None and step % REAL_EVERY == 0:
                terms |= real_losses(network, {name: value.to(device) for name, value in next(real).items()})
        loss = sum(weights[name] * value for name, value in terms.items())
        assert isinstance(loss, Tensor)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        keep = min(0.998, (step + 1) / (step + 10))
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        step += 1
        trained_s, last = trained_s + time.monotonic() - last, time.monotonic()
        for name, value in {"loss": loss, **terms}.items():
            share = REAL_EVERY / 25 if name.startswith("real") else 1 / 25
            running[name] = running.get(name, 0.0) + value.item() * share
        if step % 25 == 0:
            for name, total in running.items():
                writer.add_scalar(name, total, step)
            line = " ".join(f"{name} {total:.4f}" for name, total in running.items())
            print(f"step {step} {trained_s / 60:.1f} min rate {rate:.1e} {line}", flush=True)
            running = {}
        if time.monotonic() - last_save > 120 or trained_s >= total_s:
            state = {
                "network": network.state_dict(),
                "ema": average.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
                "trained_s": trained_s,
                "size": args.size,
                "version": args.out.name,
            }
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").replace(checkpoint)
            last_save = time.monotonic()
    (args.out / "arguments.json").write_text(json.dumps({k: str(v) for k, v in vars(args).items()}, indent=1))
    writer.close()


if __name__ == "__main__":
    main()
