"""Real clips without truth: what they can still teach. Prepared once into small files, then sampled.

python -m training.real_clips --out DIR CLIP...

Taught: who is the person (MediaPipe's matte), the shape of the face (MediaPipe's mesh), and that the light which the
network finds must explain the picture (training.losses.real_losses).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from livelight.color import linear_to_srgb, srgb_to_linear
from livelight.optical_flow import backward_flow
from livelight.segment import Segmenter
from livelight.segmenters import open_segmenter
from livelight.sources.file import VideoFileSource
from training.clutter import draw_clutter, laid, level_of
from training.face_normals import FaceMesh
from training.light_stage.assets import root
from training.light_stage.backdrop import project
from training.light_stage.dataset import Panoramas, panoramas_of, sample_lights
from training.patterns import surface_print
from training.samples import CLUTTERED

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

ROWS = 480
"""Height of the prepared frames at most; crops bring heads to the sizes that they have in the network's picture."""
CLOSEST = 0.8
"""Least side of a crop, as a part of what it is brought to: people stand far from the camera in most such clips."""
ON_A_FACE = 0.6
"""Share of the crops about a person that are laid about the face, if there is one."""
ROOM_LEVELS = 0.06, 0.5
"""Mean of a background that takes the place of a clip's own, linear."""
ANYWHERE = 0.35
"""Share of the crops that lie anywhere in the frame: furniture must be learnt not to be a person."""


def prepare(clip: Path, out: Path, segmenter: Segmenter, mesh: FaceMesh) -> int:
    """Write frames, mattes and face normals of a clip to ``out``/NAME.npz; returns how many frames.

    image uint8 (t, h, w, 3), alpha uint8 (t, h, w), normals int8 (t, h, w, 3) = 127 n, 0 where no face is.
    """
    rows: list[tuple[U8, U8, NDArray[np.int8]]] = []
    source = VideoFileSource(clip)
    try:
        high = min(ROWS, source.height)
        size = (round(source.width * high / source.height), high)
        for frame in source:
            small = np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), np.uint8)
            matte = segmenter.segment(frame.image)
            alpha = cv2.resize(matte, size)
            normals = mesh.normals(frame.image, cv2.resize(matte, (frame.width, frame.height)))
            normals = cv2.resize(normals, size, interpolation=cv2.INTER_AREA)
            whole = np.linalg.norm(normals, axis=2, keepdims=True) > 0.9
            rows.append((small, np.rint(alpha * 255).astype(np.uint8), np.rint(normals * whole * 127).astype(np.int8)))
    finally:
        source.close()
    image, alpha, normals = (np.stack(column) for column in zip(*rows, strict=True))
    np.savez(out / f"{clip.stem}.npz", image=image, alpha=alpha, normals=normals)
    return len(rows)


class RealSamples(IterableDataset[dict[str, Tensor]]):
    """Streams dicts of float32 tensors of real people (t frames, crop x crop) for training.losses.real_losses.

    image (t, 3, h, w) sRGB-coded [0, 1], half the time before another background, at times with training.clutter,
    exposure and tint changed; alpha (t, 1, h, w); normals (t, 3, h, w) and face (t, 1, h, w), 1 where they are known;
    target_light (3, 16, 16); flow_bwd (t - 1, h, w, 2) pixels (DIS); seen (t - 1, 1, h, w); ink (3, h, w), a print to
    be tried on the person.
    """

    def __init__(self, folder: Path, crop: int = 160, frames: int = 3, seed: int = 0) -> None:
        self.crop, self.frames, self.seed = crop, frames, seed
        self.files = sorted(folder.glob("*.npz"))
        if not self.files:
            raise FileNotFoundError(f"no prepared clips in {folder}; run python -m training.real_clips")

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        rng = np.random.default_rng(self.seed)
        panoramas = Panoramas(panoramas_of("train"))
        clips = []
        for path in self.files:
            with np.load(path) as file:
                clips.append({name: file[name] for name in file.files})
        while True:
            yield real_sample(clips[int(rng.integers(len(clips)))], panoramas, self.crop, self.frames, rng)


def real_sample(
    clip: dict[str, NDArray[np.generic]], panoramas: Panoramas, crop: int, frames: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """One sample of a prepared clip; see RealSamples."""
    t, h, w = clip["alpha"].shape
    stride = int(rng.integers(1, 3))
    start = int(rng.integers(max(t - stride * frames, 1)))
    side = int(np.exp(rng.uniform(np.log(CLOSEST * crop), np.log(min(h, w)))))
    x, y = corner(clip["alpha"][start], clip["normals"][start].any(2), side, rng)
    cut = (slice(start, start + stride * frames, stride), slice(y, y + side), slice(x, x + side))
    picture, alpha, normals = (brought(clip[name][cut], crop) for name in ("image", "alpha", "normals"))
    picture, alpha, normals = picture / 255, alpha / 255, normals / 127
    target = sample_lights(rng, panoramas)[2]
    if rng.random() < 0.5:
        index = int(rng.integers(len(panoramas.files)))
        view = project(
            panoramas.turned(index, float(rng.uniform(0, 360))),
            crop * rng.uniform(0.8, 1.6),
            np.float32([crop / 2] * 2),
            (crop, crop),
        )
        level = np.exp(rng.uniform(*np.log(ROOM_LEVELS)))
        room = linear_to_srgb(np.clip(view * (level / max(float(view.mean()), 1e-3)), 0, 1))
        picture = alpha * picture + (1 - alpha) * room
    if rng.random() < CLUTTERED:
        room = srgb_to_linear(picture)
        room = laid(room, draw_clutter(rng, (crop, crop)), level_of(room, alpha[..., 0] < 0.5))
        picture = alpha * picture + (1 - alpha) * linear_to_srgb(np.clip(room, 0, 1))
    gain = np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.05, 3))
    picture = np.clip(picture * np.float32(gain), 0, 1).astype(np.float32)
    length = np.linalg.norm(normals, axis=3, keepdims=True)
    face = (length > 0.5).astype(np.float32)
    normals = face * normals / np.maximum(length, 1e-6)
    if rng.random() < 0.5:
        picture, alpha, normals, face = (np.flip(a, 2) for a in (picture, alpha, normals, face))
        normals = normals * np.float32([-1, 1, 1])
    flow, seen = flows(np.ascontiguousarray(picture))
    arrays = {"image": picture, "alpha": alpha, "normals": normals, "face": face, "seen": seen}
    tensors = {n: torch.from_numpy(np.ascontiguousarray(np.moveaxis(a, -1, -3), np.float32)) for n, a in arrays.items()}
    light = torch.from_numpy(np.ascontiguousarray(np.moveaxis(target.code, -1, 0), np.float32))
    ink = torch.from_numpy(np.moveaxis(surface_print(rng, crop), -1, 0).copy())
    return tensors | {"target_light": light, "flow_bwd": torch.from_numpy(flow), "ink": ink}


def corner(alpha: NDArray[np.generic], face: NDArray[np.bool_], side: int, rng: np.random.Generator) -> tuple[int, int]:
    """x and y where a crop of ``side`` pixels begins: anywhere, about a face, or about the person at any height.

    alpha (h, w); face (h, w), True where a face is.
    """
    h, w = alpha.shape
    if rng.random() < ANYWHERE:
        x, y = rng.uniform(0, w - side), rng.uniform(0, h - side)
    elif face.any() and rng.random() < ON_A_FACE:
        rows, columns = np.nonzero(face)
        x, y = columns.mean() - side / 2 + rng.normal(0, side / 8), rows.mean() - side * rng.uniform(0.25, 0.6)
    else:
        weights = alpha.astype(np.float64).sum(0)
        x, y = (
            weights @ np.arange(w) / max(weights.sum(), 1) - side / 2 + rng.normal(0, side / 6),
            rng.uniform(0, h - side),
        )
    return int(np.clip(x, 0, w - side)), int(np.clip(y, 0, h - side))


def brought(pictures: NDArray[np.generic], side: int) -> F32:
    """Square pictures (t, s, s) or (t, s, s, 3) at side x side, float32 (t, side, side, c)."""
    how = cv2.INTER_AREA if pictures.shape[1] >= side else cv2.INTER_LINEAR
    out = [cv2.resize(p.astype(np.float32), (side, side), interpolation=how) for p in pictures]
    return np.stack(out).reshape(len(out), side, side, -1)


def flows(pictures: F32) -> tuple[F32, F32]:
    """Flow (t - 1, h, w, 2) from each frame t + 1 of (t, h, w, 3) back to t, and (t - 1, h, w, 1) 1 where seen."""
    frames = np.rint(pictures * 255).astype(np.uint8)
    back, seen = zip(*(backward_flow(a, b) for a, b in pairwise(frames)), strict=True)
    return np.stack(back), np.stack(seen)[..., None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("clips", nargs="+", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    mesh = FaceMesh(root() / "models" / "face_landmarker.task")
    for clip in args.clips:
        print(f"{clip.name}: {prepare(clip, args.out, open_segmenter(), mesh)} frames", flush=True)
    mesh.close()


if __name__ == "__main__":
    main()
