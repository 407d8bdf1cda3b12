"""How far the segmenters that ship are from MediaPipe running its own files.

python -m training.segmenter_agreement CLIP... [--every 10]

Every so many-th frame of each clip, whole (the network for wide pictures) and its left square (the other one), before
islands are dropped: largest and mean difference of confidence in [0, 1], and the lowest overlap (intersection over
union) of what is above one half.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from itertools import islice
from pathlib import Path
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from livelight.runtimes.picture_network import ENGINES
from livelight.segmenters import open_segmenter, selfie
from livelight.sources.file import VideoFileSource
from training.real_people import overlap

U8 = NDArray[np.uint8]


def pictures_of(clip: Path, every: int) -> list[U8]:
    """Every so many-th frame, and its left square."""
    with closing(VideoFileSource(clip)) as source:
        frames = [frame.image for frame in islice(source, 0, None, every)]
    return [*frames, *(np.ascontiguousarray(image[:, : image.shape[0]]) for image in frames)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=10)
    args = parser.parse_args()
    pictures = [picture for clip in args.clip for picture in pictures_of(clip, args.every)]
    with (
        mock.patch.object(selfie, "surer", np.copy),
        mock.patch("livelight.segmenters.mediapipe_segmenter.surer", np.copy),
    ):
        theirs = open_segmenter("mediapipe")
        truths = [theirs.segment(picture) for picture in pictures]
        for engine in ENGINES:
            ours = selfie.SelfieSegmenter(engine)
            pairs = [(ours.segment(picture), truth) for picture, truth in zip(pictures, truths, strict=True)]
            most = max(np.abs(a - b).max() for a, b in pairs)
            mean = np.mean([np.abs(a - b).mean() for a, b in pairs])
            least = min(overlap(a, b) for a, b in pairs)
            print(f"{engine}: {len(pairs)} pictures, max {most:.2e}, mean {mean:.2e}, overlap {least:.4f} at least")


if __name__ == "__main__":
    main()
