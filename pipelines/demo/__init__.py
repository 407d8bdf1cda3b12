"""``livelight demo``: the clip that ships with the project under three lights, and one before/after picture."""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import OutputError
from livelight.frame import Frame
from livelight.light_program import build_lighting
from livelight.sinks.picture import PictureSink
from livelight.sources.file import VideoFileSource
from pipelines.clip import relight_all
from pipelines.clip_job import plan_jobs
from pipelines.clip_settings import ClipSettings
from pipelines.engine import open_relighter

CLIP = Path(__file__).parent / "talking.mp4"
"""A rendered person talking in a dim room: 1280x720, 30 fps, with sound. See README.md beside it."""

PRESETS = ("split", "golden-hour", "neon")


def demo(folder: Path, quiet: bool = False) -> None:
    """Relight CLIP under PRESETS into ``folder`` (created) and write before_after.png there. Prints what lies where."""
    started = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"Cannot create the folder {folder} ({exc.strerror}); name another with --out.") from exc
    with open_relighter(ClipSettings()) as relighter:
        for preset in PRESETS:
            settings = ClipSettings(env=preset, force=True)
            jobs = plan_jobs([CLIP], str(folder / f"{preset}.mp4"), force=True)
            relight_all(jobs, settings, relighter, partial(build_lighting, settings), quiet)
    picture = folder / "before_after.png"
    _write(picture, before_after(CLIP, folder))
    print(f"Done in {time.monotonic() - started:.0f} s. Open {picture}, or play:", file=sys.stderr)
    for preset in PRESETS:
        print(folder / f"{preset}.mp4")
    print(picture)


def before_after(clip: Path, folder: Path) -> NDArray[np.uint8]:
    """The middle frame of the clip and of each relit clip, two by two, with names; uint8 (h, w, 3) sRGB."""
    tiles = [_labelled(middle_frame(clip), "before")]
    tiles += [_labelled(middle_frame(folder / f"{preset}.mp4"), preset) for preset in PRESETS]
    return np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])


def middle_frame(clip: Path) -> NDArray[np.uint8]:
    """The frame in the middle of a clip, uint8 (h, w, 3) sRGB."""
    source = VideoFileSource(clip)
    try:
        wanted = (source.frame_count or 1) // 2
        for k, frame in enumerate(source):
            image = frame.image
            if k >= wanted:
                break
    finally:
        source.close()
    return image


def _labelled(image: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """Half size, with its name in the lower left corner."""
    tile = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
    for offset, colour in ((1, (0, 0, 0)), (0, (255, 255, 255))):
        at = (14 + offset, tile.shape[0] - 16 + offset)
        cv2.putText(tile, name, at, colour, cv2.FontFace("sans"), 22, 500)
    return np.asarray(tile)


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    sink = PictureSink(path, overwrite=True)
    sink.write(Frame(image, 0, Fraction(1), 0.0))
    sink.close()
