"""``livelight metrics``: how good a relit clip is, against the truth, against its source, and by itself."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import InputError, MissingExtra, OutputError, SettingsError
from livelight.frame import Frame
from livelight.optical_flow import backward_flow
from livelight.picture_metrics import detail_correlation, psnr, rmse, scale_invariant, ssim, warp_error
from livelight.segment import Segmenter
from livelight.segmenters import open_segmenter
from pipelines.clip import open_source
from pipelines.clip_job import ClipJob
from pipelines.face_identity import FaceIdentity, likeness
from pipelines.figures_file import check_figures_file

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Figures = dict[str, float | int | None]

IDENTITY_EVERY = 10
"""Faces are compared in every so many frames: they cost as much as all else."""


class Means:
    """Mean of every named figure over the frames that had it; NaN is none."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, name: str, value: float) -> None:
        if math.isnan(value):
            return
        total, count = self._sums.get(name, (0.0, 0))
        self._sums[name] = (total + value, count + 1)

    def figures(self) -> Figures:
        return {name: round(total / count, 5) for name, (total, count) in self._sums.items()}


def measure(
    output: Path,
    truth: Path | None,
    source: Path | None,
    whole: bool = False,
    segmenter: Segmenter | None = None,
    identity: FaceIdentity | None = None,
) -> Figures:
    """Figures of ``output``, averaged over its frames; memory does not grow with the clip.

    Always: flicker (RMSE of adjacent outputs). With ``truth``: rmse, psnr, ssim, psnr_si (after one linear gain per
    picture). With ``source``: warp (RMSE along the source's motion), detail (correlation of fine luminance), identity
    (cosine of face vectors, if ``identity`` is given) and faces_missed. Values in [0, 1], on the person unless
    ``whole``. Raises InputError if the clips differ in frames or shape, or show nobody.
    """
    segmenter = None if whole else segmenter or open_segmenter()
    means, missed, seen, frames = Means(), 0, 0, 0
    last: tuple[U8, U8] | None = None
    for frames, (made, true, before) in enumerate(_together(output, truth, source), start=1):
        shown = before if before is not None else true if true is not None else made
        mask = np.ones(made.shape[:2], np.float32) if segmenter is None else _person(segmenter, shown)
        if mask.sum() < 1:
            continue
        if true is not None:
            _against_truth(means, made, true, mask)
        if last is not None:
            means.add("flicker", rmse(_unit(last[0]), _unit(made), mask))
        if before is not None:
            means.add("detail", detail_correlation(_unit(before), _unit(made), mask))
            if last is not None:
                flow, visible = backward_flow(last[1], before)
                means.add("warp", warp_error(_unit(last[0]), _unit(made), flow, visible * (mask > 0.5)))
            if identity is not None and frames % IDENTITY_EVERY == 1:
                seen, missed = seen + 1, missed + _compare_faces(means, identity, before, made)
        last = (made, before if before is not None else made)
    if last is None:
        raise InputError(f"Nobody was found in {source or truth or output}; --whole measures the whole picture.")
    faces: Figures = {"faces_seen": seen, "faces_missed": missed} if seen else {}
    return {"frames": frames, **means.figures(), **faces}


def _against_truth(means: Means, made: U8, true: U8, mask: F32) -> None:
    a, b = _unit(made), _unit(true)
    means.add("rmse", rmse(a, b, mask))
    means.add("psnr", psnr(a, b, mask))
    means.add("ssim", ssim(a, b, mask))
    means.add("psnr_si", psnr(scale_invariant(a, b, mask), b, mask))


def _compare_faces(means: Means, identity: FaceIdentity, before: U8, made: U8) -> int:
    """Add the likeness of one pair; 1 if a face was not found in either."""
    a, b = identity.of(before), identity.of(made)
    if a is None or b is None:
        return 1
    means.add("identity", likeness(a, b))
    return 0


def _person(segmenter: Segmenter, picture: U8) -> F32:
    matte = cv2.resize(segmenter.segment(picture), (picture.shape[1], picture.shape[0]))
    return np.asarray(matte > 0.5, np.float32)


def _unit(picture: U8) -> F32:
    return picture.astype(np.float32) / np.float32(255)


def _together(output: Path, *others: Path | None) -> Iterator[tuple[U8, U8 | None, U8 | None]]:
    """The clips frame by frame, brought to the output's size without the border that codecs add to odd sides.

    Raises InputError for lengths or shapes that differ.
    """
    paths = [output, *others]
    sources = [None if path is None else open_source(ClipJob(path, path)) for path in paths]
    try:
        streams: list[Iterator[Frame] | None] = [None if s is None else iter(s) for s in sources]
        while True:
            frames = [None if stream is None else next(stream, None) for stream in streams]
            ended = [f is None for f, stream in zip(frames, streams, strict=True) if stream is not None]
            if all(ended):
                return
            if any(ended):
                short = next(p for p, f, s in zip(paths, frames, streams, strict=True) if f is None and s is not None)
                raise InputError(f"{short} has fewer frames than the others; compare clips of the same frames.")
            assert frames[0] is not None
            _check_shapes(paths, frames)
            size = _unpadded(frames[0], next((f for f in frames[1:] if f is not None), None))
            frames[0] = frames[0].with_image(np.ascontiguousarray(frames[0].image[: size[1], : size[0]]))
            made, true, before = (None if f is None else _sized(f.image, size) for f in frames)
            assert made is not None
            yield made, true, before
    finally:
        for source in sources:
            if source is not None:
                source.close()


def _check_shapes(paths: list[Path | None], frames: list[Frame | None]) -> None:
    """Raise InputError for a picture of another shape than the first, which would be stretched; size may differ."""
    (first, made), *others = [(p, f) for p, f in zip(paths, frames, strict=True) if f is not None]
    for path, frame in others:
        sides = (made.width, made.height, frame.width, frame.height)
        if abs(made.width * frame.height - frame.width * made.height) > max(sides):  # a side is rounded or padded by 1
            raise InputError(
                f"{path} is {frame.width}x{frame.height} and {first} {made.width}x{made.height}; compare clips of the "
                "same shape."
            )


def _unpadded(made: Frame, other: Frame | None) -> tuple[int, int]:
    """(width, height) of what was made, less the row or column that VideoFileSink repeats for codecs that need it."""
    sides = [(made.width, made.height)] if other is None else [(made.width, made.height), (other.width, other.height)]
    even = all(0 <= a - b <= 1 for a, b in zip(sides[0], sides[-1], strict=True))
    return sides[-1] if even else sides[0]


def _sized(image: U8, size: tuple[int, int]) -> U8:
    return image if image.shape[1::-1] == size else np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def metrics_command(
    output: Path, truth: Path | None, source: Path | None, whole: bool, to: Path | None, say: Callable[[str], None]
) -> None:
    """Measure, print a line per figure, and write JSON."""
    if truth is None and source is None:
        say("without --truth or --source only flicker can be measured.")
    for path in (output, truth, source):
        if path is not None and not path.exists():
            raise SettingsError(f"{path} does not exist; check the name.")
    if to is not None:
        check_figures_file(to, {"OUT": output, "--truth": truth, "--source": source})
    identity: FaceIdentity | None = None
    if source is not None:
        try:
            identity = FaceIdentity()
        except MissingExtra as exc:
            say(f"identity is left out: {exc}")
    figures = measure(output, truth, source, whole, identity=identity)
    for name, value in figures.items():
        print(f"{name:12} {value}")
    if to is not None:
        try:
            to.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n")
        except OSError as exc:
            raise OutputError(f"{to} cannot be written: {exc.strerror}; choose another file.") from exc
    sys.stdout.flush()
