"""Mattes of rendered people who were never trained on, against the rendered alpha.

python -m training.mattes --data DIR [--model MODEL.onnx ...] [--per-clip 2] [--split test]

Three mattes a model: the network's own as it is, and what the live path makes of it (--segmenter own) and of its
segmenter's: steady, and brought to the edges of the full frame. "overlap" is the intersection over union of what is
above one half; "error" the mean absolute difference, "at edges" that within BAND pixels of where the rendered alpha
lies between 0.02 and 0.98: hair, outlines.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from fractions import Fraction
from itertools import product
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
from training.methods import labels
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
        "at edges": float(off[band].mean()),
    }


def mattes(relighter: Relighter, clip: HeldOutClip) -> tuple[F32, F32]:
    """What the live path and the network say of the last frame of a clip.

    Frames are enlarged twice: the live path halves them before it looks.
    """
    side = clip["image"].shape[1]
    light = build_lighting(LightSettings(), None).at(0.0, 2 * side, 2 * side)
    state: State | None = None
    for number, picture in enumerate(clip["image"]):
        large = cv2.resize(np.rint(picture * 255).astype(np.uint8), (2 * side, 2 * side))
        _, state = relighter.step(Frame(large, number, Fraction(1, 30), None), light, state)
    assert relighter.inside is not None
    live, own = relighter.inside.alpha, relighter.inside.output.matte
    return cv2.resize(live, (side, side), interpolation=cv2.INTER_AREA), cv2.resize(own, (side, side))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=model_path, nargs="*", default=[model_path("live")])
    parser.add_argument("--per-clip", type=int, default=2)
    parser.add_argument("--split", default="test", choices=["val", "test"])
    parser.add_argument("--crop", type=int, default=192)
    args = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    for (name, path), kind in product(labels(args.model).items(), ("auto", "own")):
        with build_relighter(RelightSettings(model=str(path), segmenter=kind)) as relighter:
            for clip in held_out_clips(args.data, args.split, args.per_clip, args.crop):
                alpha = clip["alpha"][-1, ..., 0]
                live, own = mattes(relighter, clip)
                rows[f"{name}, live path, --segmenter {kind}"].append(figures_of(live, alpha))
                if kind == "own":
                    rows[f"{name}, its own as it is"].append(figures_of(own, alpha))
    print("| matte | " + " | ".join(COLUMNS) + " | samples |\n| --- |" + " --- |" * (len(COLUMNS) + 1))
    for name, found in rows.items():
        mean = mean_of(found)
        print(f"| {name} | " + " | ".join(f"{mean[c]:.4f}" for c in COLUMNS) + f" | {mean['samples']} |")


if __name__ == "__main__":
    main()
