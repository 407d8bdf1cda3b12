"""Measure a relighter on rendered people, skins and panoramas that were never trained on.

python -m training.evaluate --data DIR [--model MODEL.onnx] [--samples 200] [--out FOLDER]

Prints a Markdown table, and writes it with the figures as JSON and a contact sheet to --out. Portrait region, values in
[0, 1]: RMSE, PSNR, SSIM as NVPR; "si" is PSNR after one least-squares linear gain per picture.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.relight import model_path
from livelight.runtimes import NetworkState, Runtime, open_runtime
from training.metrics import detail_correlation, psnr, rmse, scale_invariant, ssim
from training.samples import Samples

F32 = NDArray[np.float32]
Clip = dict[str, F32]
"""A sample of training.samples.Samples as numpy, pictures (t, h, w, c)."""
Method = Callable[[Clip], list[F32]]
"""All frames of a clip, relit, each (h, w, 3) sRGB-coded."""


def nothing(clip: Clip) -> list[F32]:
    """The source as it is."""
    return list(clip["image"])


def network(runtime: Runtime) -> Method:
    """Our relighter, with the rendered alpha in place of a segmenter, so that relighting alone is judged."""

    def relight(clip: Clip) -> list[F32]:
        state: NetworkState | None = None
        out = []
        for image, alpha in zip(clip["image"], clip["alpha"], strict=True):
            result = runtime.run(np.rint(image * 255).astype(np.uint8), clip["target_light"], state)
            state = result.state
            out.append(np.clip(image + alpha * (image * (result.gain - 1) + result.offset), 0, 1))
        return out

    return relight


def clips(data: Path, split: str, count: int, crop: int, seed: int) -> list[Clip]:
    """The first ``count`` samples of a split under a fixed seed, as numpy."""
    stream = iter(Samples(data, split, crop=crop, seed=seed))
    channels_last = [
        {name: v.numpy() if name == "flow_bwd" else np.moveaxis(v.numpy(), -3, -1).copy() for name, v in s.items()}
        for s in islice(stream, count)
    ]
    return [c for c in channels_last if c["alpha"][-1].sum() > 500]


def measure(method: Method, data: list[Clip]) -> dict[str, float]:
    """Mean figures of a method over the last frame of every clip."""
    rows = []
    for clip in data:
        out, goal, mask = method(clip)[-1], clip["target"][-1], clip["alpha"][-1, ..., 0]
        rows.append(
            {
                "rmse": rmse(out, goal, mask),
                "psnr": psnr(out, goal, mask),
                "ssim": ssim(out, goal, mask),
                "psnr_si": psnr(scale_invariant(out, goal, mask), goal, mask),
                "detail": detail_correlation(clip["image"][-1], out, mask),
            }
        )
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def contact_sheet(methods: dict[str, Method], data: list[Clip], rows: int = 8) -> NDArray[np.uint8]:
    """Source, every method but the first, target, and the target light, a row per clip; uint8 (h, w, 3) sRGB."""
    lines = []
    for clip in data[:rows]:
        shown = [clip["image"][-1], *(m(clip)[-1] for n, m in methods.items() if n != "nothing"), clip["target"][-1]]
        light = np.clip(clip["target_light"], 0, 1) ** np.float32(1 / 2.2)
        shown.append(cv2.resize(light, shown[0].shape[:2], interpolation=cv2.INTER_NEAREST))
        lines.append(np.hstack(shown))
    return np.rint(np.vstack(lines) * 255).clip(0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=model_path("live"))
    parser.add_argument("--split", default="test", choices=["train", "val", "test"])
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--crop", type=int, default=192)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()

    data = clips(args.data, args.split, args.samples, args.crop, args.seed)
    methods = {
        "nothing": nothing,
        "ours": network(open_runtime("auto", args.model)),
    }
    figures = {name: measure(method, data) for name, method in methods.items()}
    lines = ["| method | RMSE | PSNR | SSIM | PSNR si | detail |", "| --- | --- | --- | --- | --- | --- |"]
    for name, f in figures.items():
        lines.append(
            f"| {name} | {f['rmse']:.4f} | {f['psnr']:.2f} | {f['ssim']:.4f} | {f['psnr_si']:.2f} | {f['detail']:.3f} |"
        )
    table = "\n".join(lines)
    print(f"{len(data)} clips of the {args.split} split, {args.crop} x {args.crop}\n\n{table}")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "table.md").write_text(table + "\n")
        (args.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
        cv2.imwrite(str(args.out / "sheet.png"), contact_sheet(methods, data)[:, :, ::-1])


if __name__ == "__main__":
    main()
