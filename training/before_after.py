"""Ten sheets of real people before and after, under lights that are hard to get right; look at each.

python -m training.before_after FOLDER [--model MODEL.onnx] [--clips FILE ...] [--frames 5]

Writes a picture per light: the upper row is what the camera saw, the lower what the whole live path makes of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.config import LightSettings, RelightSettings
from livelight.frame import Frame
from livelight.light_program import build_lighting
from livelight.lighting import Light
from livelight.relight import Relighter, State, build_relighter, model_path
from training.light_stage.assets import root
from training.look import frames, tile

U8 = NDArray[np.uint8]
SHEETS = {
    "01-hard-side-left": ("split", 0.0),
    "02-hard-side-right": ("split", 160.0),
    "03-top-sun": ("noon-sun", 0.0),
    "04-top-spot": ("stage-spot", 0.0),
    "05-from-above": ("butterfly", 0.0),
    "06-coloured": ("neon", 0.0),
    "07-coloured-turned": ("neon", 120.0),
    "08-backlight": ("rim", 0.0),
    "09-backlight-sun": ("golden-hour", 90.0),
    "10-candle": ("candle", 0.0),
}
"""Name of a sheet: the preset and how far it is turned, degrees."""


def after(relighter: Relighter, shots: list[Frame], light: Light) -> U8:
    """The last of the frames as the live path shows it, uint8 (h, w, 3)."""
    state: State | None = None
    relit = shots[0]
    for shot in shots:
        relit, state = relighter.step(shot, light, state)
    return relit.image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=model_path, default=model_path("live"))
    parser.add_argument("--clips", nargs="*", type=Path)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--skip", type=int, default=20)
    args = parser.parse_args()
    clips = root() / "clips"
    paths = args.clips or [*sorted(clips.glob("*.mp4")), *sorted(clips.glob("*.mkv"))[:4]]
    args.folder.mkdir(parents=True, exist_ok=True)
    relighter = build_relighter(RelightSettings(model=str(args.model)))
    people = [frames(path, args.frames, args.skip) for path in paths]
    before = np.hstack([tile(shots[-1].image) for shots in people])
    for name, (env, turned_deg) in SHEETS.items():
        light = build_lighting(LightSettings(env=env, rotate=str(turned_deg)), None).at(0.0, 16, 16)
        sheet = np.vstack([before, np.hstack([tile(after(relighter, shots, light)) for shots in people])])
        cv2.imwrite(str(args.folder / f"{name}.png"), sheet[:, :, ::-1])


if __name__ == "__main__":
    main()
