"""Train the relighter on rendered clips. One loop, read top to bottom; resumes from its checkpoint.

python -m training.train_relighter --data DIR --out RUN --size S --hours 1
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

from livelight.runtimes.light_ball import code_solid_angles
from livelight.runtimes.torch_network import SIZES, RelightNetwork
from livelight.runtimes.torch_runtime import read_network
from training.checkpoint import Run, fast_bfloat16
from training.clip_losses import WEIGHTS, FrameTerms, clip_losses, frame_terms
from training.critic import Rivalry
from training.losses import real_losses
from training.optimizer import MuonAdamW
from training.real_clips import RealSamples
from training.samples import Samples
from training.sipr import PlainNetwork, plain_losses

REAL_EVERY, REAL_BATCH = 5, 3
"""Every so many steps, so many real clips teach too (--real)."""
NETWORK_PARTS = ("structure", "person_gain", "occlusion", "depth")
"""Parts of the network that can be left out."""
DATA_PARTS = ("prints", "sampling")
"""What else can be left out: prints and tone curves (training.patterns), NVPR's eq. 9 for lights."""
LOG_EVERY = 25
ECHO_BUFFER = 32
"""Batches among which one that is used again is drawn."""
Stream = Iterator[dict[str, Tensor]]
Found = tuple[dict[str, Tensor], Tensor | None]


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of rendered clips")
    parser.add_argument("--real", type=Path, help="folder of training.real_clips: real people teach too")
    parser.add_argument("--out", type=Path, required=True, help="run folder: checkpoint, TensorBoard logs")
    parser.add_argument("--size", default="S", choices=sorted(SIZES))
    parser.add_argument("--network", default="ours", choices=["ours", "sipr"], help="sipr: the plain baseline")
    parser.add_argument("--hours", type=float, default=1.0, help="wall time at which the learning rate reaches 0")
    parser.add_argument("--steps", type=int, help="end after so many steps instead")
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--crop", type=int, default=160, help="pixels, a multiple of 16")
    parser.add_argument("--frames", type=int, default=3, help="frames of a clip that teach at once")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--echo", type=int, default=1, help="use every batch so often: for slow loaders")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--teacher", type=Path, help="relighter, .onnx, that says how bright people come out")
    parser.add_argument(
        "--compile", action="store_true", help="a third faster after minutes of compiling; needs a C++ compiler"
    )
    parts = sorted({*WEIGHTS, *NETWORK_PARTS, *DATA_PARTS})
    parser.add_argument("--without", nargs="*", default=[], choices=parts, help="parts to switch off")
    return parser.parse_args(words)


def new_run(args: argparse.Namespace, device: torch.device) -> Run:
    """Network, average, optimiser and critic as ``args`` say, or as they stood when the run was saved last."""

    def build() -> nn.Module:
        if args.network == "sipr":
            return PlainNetwork(args.size).to(device)
        parts = {name: name not in args.without for name in NETWORK_PARTS}
        return RelightNetwork(SIZES[args.size], **parts).to(device)

    network, average = build(), build()
    if fast_bfloat16(device):
        network.to(memory_format=torch.channels_last)
    average.load_state_dict(network.state_dict())
    optimizer = MuonAdamW(network, args.rate)
    rivalry = Rivalry(device) if args.network == "ours" and "critic" not in args.without else None
    run = Run(network, average, optimizer, rivalry, args.size, args.network)
    if (args.out / "checkpoint.pt").exists():
        run.restore(args.out / "checkpoint.pt", device)
    return run


def streams(args: argparse.Namespace, step: int, device: torch.device) -> tuple[Stream, Stream | None]:
    """Batches of rendered clips, and of real ones if there are any; seeded by the step at which the run goes on."""
    samples = Samples(
        args.data, "train", crop=args.crop, frames=args.frames, seed=args.seed + step,
        mixed="sampling" not in args.without, prints="prints" not in args.without,
    )  # fmt: skip
    pinned = device.type == "cuda"
    loader = DataLoader(samples, batch_size=args.batch, num_workers=args.workers, pin_memory=pinned)
    rendered = echoed(iter(loader), args.echo, random.Random(args.seed + step))
    if not args.real:
        return rendered, None
    return rendered, iter(
        DataLoader(RealSamples(args.real, args.crop, max(args.frames, 2), args.seed + step), batch_size=REAL_BATCH)
    )


def echoed(batches: Stream, times: int, rng: random.Random) -> Stream:
    """Every batch so many times, in random order; after Choi et al., Data Echoing (2019), with a shuffle buffer."""
    if times == 1:
        yield from batches
    held: list[dict[str, Tensor]] = []
    for batch in batches:
        held += [batch] * times
        while len(held) > ECHO_BUFFER * (times - 1):
            yield held.pop(rng.randrange(len(held)))


def terms_of(
    run: Run, batch: dict[str, Tensor], real: dict[str, Tensor] | None, solid_angles: Tensor,
    teacher: RelightNetwork | None = None, each: FrameTerms = frame_terms,
) -> Found:  # fmt: skip
    """Every term of one batch, by name; and for the critic the last frames, relit, or None."""
    if isinstance(run.network, PlainNetwork):
        return plain_losses(run.network, batch, solid_angles), None
    assert isinstance(run.network, RelightNetwork)
    terms, relit = clip_losses(run.network, batch, solid_angles, run.rivalry, teacher, each)
    return terms | ({} if real is None else real_losses(run.network, real)), relit


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    weights = {name: 0.0 if name in args.without else value for name, value in WEIGHTS.items()}
    run = new_run(args, device)
    rendered, filmed = streams(args, run.step, device)
    writer = SummaryWriter(str(args.out))
    solid_angles = code_solid_angles().to(device)
    teacher = read_network(args.teacher).to(device) if args.teacher else None
    each: FrameTerms = torch.compile(frame_terms, dynamic=False) if args.compile else frame_terms
    last_save, last = time.monotonic(), time.monotonic()
    running: dict[str, float] = defaultdict(float)
    while (progress := run.step / args.steps if args.steps else run.trained_s / (args.hours * 3600)) < 1:
        batch = on(device, next(rendered))
        real = on(device, next(filmed)) if filmed is not None and run.step % REAL_EVERY == 0 else None
        rate = args.rate * min(1.0, (run.step + 1) / 200) * max(0.02, 1 - max(0.0, progress - 0.3) / 0.7)
        for group in run.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, torch.bfloat16, enabled=fast_bfloat16(device)):
            terms, relit = terms_of(run, batch, real, solid_angles, teacher, each)
        loss = torch.stack([weights[name] * value.float() for name, value in terms.items()]).sum()
        run.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
        run.optimizer.step()
        if run.rivalry is not None and relit is not None:
            running["critic_distance"] += critic_step(run.rivalry, batch, relit) / LOG_EVERY
        run.step += 1
        run.follow()
        run.trained_s, last = run.trained_s + time.monotonic() - last, time.monotonic()
        for name, value in {"loss": loss, **terms}.items():
            running[name] += value.item() * (REAL_EVERY if name.startswith("real") else 1) / LOG_EVERY
        if run.step % LOG_EVERY == 0:
            report(run, rate, running, writer)
            running.clear()
        if time.monotonic() - last_save > 120:
            run.save(args.out / "checkpoint.pt")
            last_save = time.monotonic()
    run.save(args.out / "checkpoint.pt")
    (args.out / "arguments.json").write_text(json.dumps({k: str(v) for k, v in vars(args).items()}, indent=1))
    writer.close()


def on(device: torch.device, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The batch on the device that trains."""
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def critic_step(rivalry: Rivalry, batch: dict[str, Tensor], relit: Tensor) -> float:
    """Teach the critic on the last frames, the person alone: the room is not relit."""
    image, target, alpha = (batch[name][:, -1] for name in ("image", "target", "alpha"))
    return rivalry.learn(alpha * image, alpha * relit, alpha * target, batch["target_light"])


def report(run: Run, rate: float, means: dict[str, float], writer: SummaryWriter) -> None:
    """One line of the means of the last steps, to the terminal and to TensorBoard."""
    for name, mean in means.items():
        writer.add_scalar(name, mean, run.step)
    line = " ".join(f"{name} {mean:.4f}" for name, mean in means.items())
    print(f"step {run.step} {run.trained_s / 60:.1f} min rate {rate:.1e} {line}", flush=True)


if __name__ == "__main__":
    main()
