"""Measure relighters on rendered people, skins and panoramas that were never trained on.

python -m training.evaluate --data DIR [--model MODEL.onnx ...] [--command NAME "PROGRAM {source} {environment} {out}"]
    [--per-clip 6] [--out FOLDER]

Prints Markdown tables, and writes them with the figures as JSON and a contact sheet to --out. Portrait region, values
in [0, 1]: RMSE, PSNR, SSIM as NVPR; "si" is PSNR after one least-squares linear gain per picture; "warp" the RMSE
between a frame and the one before, brought over along the renderer's exact flow.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.picture_metrics import detail_correlation, psnr, rmse, scale_invariant, ssim, warp_error
from livelight.relight import model_path
from livelight.runtimes import open_runtime
from training import dynamic_light
from training.diffusion_method import diffusion
from training.held_out import TONES, HeldOutClip, held_out_clips
from training.light_stage.dataset import Panoramas, clips_of, load_clip, panoramas_of, sample_lights
from training.light_stage.lamps import lights_with_lamps
from training.methods import Method, command, labels, network, nothing, reinhard

F32 = NDArray[np.float32]
Figures = dict[str, float]
COLUMNS = ("rmse", "psnr", "ssim", "psnr_si", "detail", "warp")


def run(method: Method, clip: HeldOutClip) -> list[F32]:
    """All frames of a test clip, relit."""
    return method(clip["image"], clip["alpha"], clip["target_light"])


def figures_of(outputs: list[F32], clip: HeldOutClip) -> Figures:
    """COLUMNS of the last frame of a relit clip; warp over its last two."""
    out, goal, mask = outputs[-1], clip["target"][-1], clip["alpha"][-1, ..., 0]
    return {
        "rmse": rmse(out, goal, mask),
        "psnr": psnr(out, goal, mask),
        "ssim": ssim(out, goal, mask),
        "psnr_si": psnr(scale_invariant(out, goal, mask), goal, mask),
        "detail": detail_correlation(clip["image"][-1], out, mask),
        "warp": warp_error(outputs[-2], out, clip["flow_bwd"][-1], clip["seen"][-1, ..., 0]),
    }


def mean_of(rows: list[Figures]) -> Figures:
    """The mean of every column, NaN left out, and how many rows there were."""
    return {name: mean_known([row[name] for row in rows]) for name in rows[0]} | {"samples": len(rows)}


def mean_known(values: list[float]) -> float:
    """The mean of those that are not NaN; NaN if none is."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def table(title: str, rows: dict[str, Figures]) -> str:
    """A Markdown table, a line per name."""
    lines = [f"| {title} | RMSE | PSNR | SSIM | PSNR si | detail | warp | samples |", "| --- |" + " --- |" * 7]
    for name, f in rows.items():
        lines.append(
            f"| {name} | {f['rmse']:.4f} | {f['psnr']:.2f} | {f['ssim']:.4f} | {f['psnr_si']:.2f} | {f['detail']:.3f} "
            f"| {f['warp']:.4f} | {f['samples']} |"
        )
    return "\n".join(lines)


def dynamic_table(
    methods: dict[str, Method], data: Path, split: str, people: int
) -> tuple[str, dict[str, list[float]]]:
    """NVPR's dynamic-light test over a few people: a Markdown table by speed, and the figures."""
    panoramas = Panoramas(panoramas_of(split))
    clips = [load_clip(path) for path in clips_of(data, split)[:people]]
    errors: dict[str, list[float]] = {name: [] for name in methods}
    for speed in dynamic_light.SPEEDS:
        scenes = [dynamic_light.performance(clip, panoramas, speed, seed) for seed, clip in enumerate(clips)]
        for name, method in methods.items():
            errors[name].append(float(np.mean([dynamic_light.error(method, *scene) for scene in scenes])))
    lines = ["| changing light | " + " | ".join(f"{s}x" for s in dynamic_light.SPEEDS) + " |"]
    lines.append("| --- |" + " --- |" * len(dynamic_light.SPEEDS))
    lines += [f"| {name} | " + " | ".join(f"{e:.4f}" for e in row) + " |" for name, row in errors.items()]
    return "\n".join(lines), errors


def sheet_row(outputs: dict[str, F32], clip: HeldOutClip) -> F32:
    """Source, every method's last frame, target, and the target light, side by side."""
    side = clip["image"].shape[1]
    light = np.clip(clip["target_light"], 0, 1) ** np.float32(1 / 2.2)
    small = cv2.resize(light, (side, side), interpolation=cv2.INTER_NEAREST)
    return np.hstack(
        [clip["image"][-1], *(out for n, out in outputs.items() if n != "nothing"), clip["target"][-1], small]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=model_path, nargs="*", default=[model_path("live")])
    parser.add_argument("--part", type=float, nargs="*", default=[], help="networks see pictures of such a side, too")
    parser.add_argument("--command", nargs=2, action="append", default=[], metavar=("NAME", "COMMAND"))
    parser.add_argument("--diffusion", type=Path, help="folder of training.export_diffusion: our diffusion model too")
    parser.add_argument(
        "--questions", action="store_true", help="its variants: mirror, views, temporal layers, steps, IIE"
    )
    parser.add_argument("--split", default="test", choices=["train", "val", "test"])
    parser.add_argument("--per-clip", type=int, default=6)
    parser.add_argument("--crop", type=int, default=192)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--alike", action="store_true", help="all people under the same lights, to compare groups")
    parser.add_argument("--lamps", action="store_true", help="targets are single lamps, as most presets are")
    parser.add_argument("--dressed", action="store_true", help="people in vivid and printed clothes")
    parser.add_argument("--sheet-rows", type=int, default=10)
    parser.add_argument("--dynamic", type=int, default=4, help="people of the dynamic-light test; 0 leaves it out")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def diffusion_methods(folder: Path, parts: Sequence[float], questions: bool) -> dict[str, Method]:
    """Our diffusion model as it ships, seeing smaller pictures too, and, if asked, with one thing changed."""
    methods = {"diffusion": diffusion(folder)}
    for part in parts:
        methods[f"diffusion, at {part:g}"] = diffusion(folder, part=part)
        methods[f"diffusion, at {part:g}, head not by itself"] = diffusion(folder, near=False, part=part)
    if questions:
        methods["diffusion, no mirror"] = diffusion(folder, mirrors=False)
        methods["diffusion, one size"] = diffusion(folder, sizes=False)
        methods["diffusion, without the larger relighter"] = diffusion(folder, large=False)
        methods["diffusion, no temporal layers"] = diffusion(folder, temporal=False)
        methods |= {f"diffusion, {n} steps": diffusion(folder, steps=n) for n in (2, 4)}
        methods |= {f"diffusion, IIE {n}": diffusion(folder, iie=n) for n in (3, 5)}
    return methods


def main() -> None:
    args = arguments()
    methods: dict[str, Method] = {"nothing": nothing, "colour transfer": reinhard}
    names = labels(args.model)
    for name, path in names.items():
        runtime = open_runtime("auto", path)
        methods[name] = network(runtime)
        methods[f"{name}, frame by frame"] = network(runtime, remembers=False)
        methods |= {f"{name}, at {part:g}": network(runtime, part=part) for part in args.part}
    if args.diffusion:
        methods |= diffusion_methods(args.diffusion, args.part, args.questions)
    methods |= {name: command(template) for name, template in args.command}

    rows: dict[str, list[Figures]] = defaultdict(list)
    by_tone: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    sheet = []
    lights = lights_with_lamps if args.lamps else sample_lights
    clips = held_out_clips(
        args.data, args.split, args.per_clip, args.crop, 3, args.seed, args.alike, lights, args.dressed
    )
    for k, clip in enumerate(clips):
        outputs = {name: run(method, clip) for name, method in methods.items()}
        for name, frames in outputs.items():
            figures = figures_of(frames, clip)
            rows[name].append(figures)
            by_tone[name][clip.tone].append(figures)
        if k % args.per_clip == 0 and len(sheet) < args.sheet_rows:
            sheet.append(sheet_row({n: f[-1] for n, f in outputs.items() if "frame by frame" not in n}, clip))
    figures = {name: mean_of(values) for name, values in rows.items()}
    tones = {name: {t: mean_of(groups[t]) for _, t in TONES if t in groups} for name, groups in by_tone.items()}
    texts = [f"{args.split} split, {args.crop} x {args.crop}", table("method", figures)]
    texts += [table(f"{name}, by skin tone", tones[name]) for name in ["nothing", *names]]
    dynamic: dict[str, list[float]] = {}
    if args.dynamic:
        text, dynamic = dynamic_table(methods, args.data, args.split, args.dynamic)
        texts.append(text)
    print("\n\n".join(texts))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "tables.md").write_text("\n\n".join(texts) + "\n")
        report = {"methods": figures, "skin_tones": tones, "dynamic_light": dynamic}
        (args.out / "figures.json").write_text(json.dumps(report, indent=1) + "\n")
        picture = np.rint(np.vstack(sheet) * 255).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(args.out / "sheet.png"), picture[:, :, ::-1])


if __name__ == "__main__":
    main()
