"""Mattes of rendered people who were never trained on, against the rendered alpha.

python -m training.mattes --data DIR [--model MODEL.onnx ...] [--per-clip 2] [--split test]

Two mattes a model: the network's own, and that of the whole live path (segmenter, steadied and brought to the edges of
the full frame). "overlap" is the intersection over union of what is above one half; "error" the mean absolute
difference, "at edges" that within BAND pixels of where the rendered alpha lies between 0.02 and 0.98: hair, outlines.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.config import LightSettings, RelightSettings
from livelight.frame import Frame
from livelight.light_program import build_lighting
from livelight.relight import Relighter, State, build_relighter, model_path
from training.evaluate import mean_of
from training.held_out import HeldOutClip, held_out_clips
from training.real_people import overlap

F32 = NDArray[np.float32]
BAND = 3
COLUMNS = ("overlap", "error", "at edges")


def figures_of(matte: F32, alpha: F32) -> dict[str, float]:
    """COLUMNS of a matte (h, w) against the truth alpha (h, w), both in [0, 1]."""
    soft = ((alpha > 0.02) & (alpha < 0.98)).astype(np.uint8)
    band = cv2.dilate(soft, np.ones((2 * BAND + 1,) * 2, np.uint8)) > 0
    off = np.abs(matte - alpha)
    return {
        "overlap": overlap(matte, alpha),
        "error": float(off.mean()),
        "at edges": float(off[band].mean()) if band.any() else 0.0,
    }


def mattes(relighter: Relighter, clip: HeldOutClip) -> Iterator[tuple[str, F32]]:
    """The mattes of the last frame of a clip, by name."""
    light = build_lighting(LightSettings(), None).at(0.0, *clip["image"].shape[2:0:-1])
    state: State | None = None
    for number, picture in enumerate(clip["image"]):
        frame = Frame(np.rint(picture * 255).astype(np.uint8), number, Fraction(1, 30), None)
        _, state = relighter.step(frame, light, state)
    assert relighter.inside is not None
    alpha = relighter.inside.alpha
    yield "own", cv2.resize(relighter.inside.output.matte, alpha.shape[::-1])
    yield "live", alpha


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, nargs="*", default=[model_path("live")])
    parser.add_argument("--per-clip", type=int, default=2)
    parser.add_argument("--split", default="test", choices=["val", "test"])
    parser.add_argument("--crop", type=int, default=192)
    args = parser.parse_args()
    relighters = {path.stem: build_relighter(RelightSettings(model=str(path))) for path in args.model}
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    for clip in held_out_clips(args.data, args.split, args.per_clip, args.crop):
        for name, relighter in relighters.items():
            for kind, matte in mattes(relighter, clip):
                rows[f"{name}, {kind}"].append(figures_of(matte, clip["alpha"][-1, ..., 0]))
    print("| matte | " + " | ".join(COLUMNS) + " | samples |\n| --- |" + " --- |" * (len(COLUMNS) + 1))
    for name, found in rows.items():
        mean = mean_of(found)
        print(f"| {name} | " + " | ".join(f"{mean[c]:.4f}" for c in COLUMNS) + f" | {mean['samples']} |")


if __name__ == "__main__":
    main()
