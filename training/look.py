"""A contact sheet of real people under many lights: what numbers do not show.

python -m training.look OUT.png [--model MODEL.onnx] [--env NAME ...] [--clips FILE ...]

Each row is a clip (default: the real clips of the shared assets): the source, its normals and matte, then the person
under every light, at full resolution, cropped to the upper body. Look at it as a picky user would.
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
from livelight.relight import Relighter, build_relighter, model_path, network_size
from livelight.sources.file import VideoFileSource
from training.light_stage.assets import root

U8 = NDArray[np.uint8]
ENVS = ("softbox-left", "softbox-right", "butterfly", "split", "golden-hour", "neon", "rim")
TILE = 320


def frames(clip: Path, count: int, skip: int) -> list[Frame]:
    """``count`` consecutive frames after the first ``skip``."""
    source = VideoFileSource(clip)
    try:
        taken = []
        for k, frame in enumerate(source):
            if k >= skip:
                taken.append(frame)
            if len(taken) == count:
                break
        return taken
    finally:
        source.close()


def tile(image: U8) -> U8:
    """The middle square of a picture, TILE x TILE."""
    h, w = image.shape[:2]
    side = min(h, w)
    x = (w - side) // 2
    return np.asarray(cv2.resize(image[:side, x : x + side], (TILE, TILE), interpolation=cv2.INTER_AREA))


def row(relighter: Relighter, shots: list[Frame], lights: list[Light]) -> U8:
    """Source, normals, network matte, then the last frame under each light; uint8 (TILE, n * TILE, 3)."""
    last = shots[-1]
    size = (last.width, last.height)
    seen = relighter.analyse(cv2.resize(last.image, network_size(*size)), size, lights[0], None)
    normals = cv2.resize(seen.normals * 127.5 + 127.5, size).astype(np.uint8)
    matte = cv2.resize((seen.matte[..., None] * np.float32([255] * 3)).astype(np.uint8), size)
    tiles = [tile(last.image), tile(normals), tile(matte)]
    for light in lights:
        state = None
        for frame in shots:
            relit, state = relighter.step(frame, light, state)
        tiles.append(tile(relit.image))
    return np.hstack(tiles)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=model_path, default=model_path("live"))
    parser.add_argument("--env", nargs="*", default=list(ENVS))
    parser.add_argument("--clips", nargs="*", type=Path)
    parser.add_argument("--skip", type=int, default=20)
    args = parser.parse_args()
    paths = args.clips or [*sorted((root() / "clips").glob("*.mp4")), *sorted((root() / "clips").glob("*.mkv"))[:4]]
    relighter = build_relighter(RelightSettings(model=str(args.model)))
    lights = [build_lighting(LightSettings(env=env), None).at(0.0, 16, 16) for env in args.env]
    sheet = np.vstack([row(relighter, frames(path, 5, args.skip), lights) for path in paths])
    cv2.imwrite(str(args.out), sheet[:, :, ::-1])


if __name__ == "__main__":
    main()
