"""Relighters under one contract, so that ours and rivals are measured in the same run."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from livelight.color import linear_to_srgb
from livelight.light_code import cell_solid_angles
from livelight.runtimes import STRIDE, NetworkState, Runtime
from livelight.runtimes.torch_network import RelightNetwork
from training.composite import composite

F32 = NDArray[np.float32]
Method = Callable[[F32, F32, F32], list[F32]]
"""(pictures (t, h, w, 3) sRGB-coded in [0, 1], alphas (t, h, w, 1), light code (16, 16, 3)) -> the frames, relit, each
(h, w, 3) sRGB-coded in [0, 1]. The room behind the person may be anything: it is not judged."""


class RivalError(RuntimeError):
    """A relighter given as a command failed."""


def labels(paths: Sequence[Path]) -> dict[str, Path]:
    """A name for each file: its own without the ending, with its folder's before it where two are alike."""
    stems = Counter(path.stem for path in paths)
    named = {p.stem if stems[p.stem] == 1 else f"{p.absolute().parent.name}/{p.stem}": p for p in paths}
    if len(named) < len(paths):
        raise ValueError(f"models whose files and folders have the same names cannot be told apart: {paths}")
    return named


def nothing(images: F32, alphas: F32, light: F32) -> list[F32]:
    """The source as it is."""
    return list(images)


def reinhard(images: F32, alphas: F32, light: F32) -> list[F32]:
    """Colour transfer (Reinhard et al. 2001) in CIE Lab: mean and deviation of the person become the environment's.

    The environment's statistics are those of its tone-mapped light code, weighted by solid angle.
    """
    seen = linear_to_srgb(np.clip(light, 0, 1)).astype(np.float32)
    goal = cv2.cvtColor(seen, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    weights = cell_solid_angles().reshape(-1)
    goal_mean = np.average(goal, axis=0, weights=weights)
    goal_deviation = np.sqrt(np.average((goal - goal_mean) ** 2, axis=0, weights=weights))
    out = []
    for image, alpha in zip(images, alphas, strict=True):
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        inside = lab[alpha[..., 0] > 0.5]
        mean, deviation = inside.mean(0), inside.std(0) + 1e-3
        moved = (lab - mean) / deviation * goal_deviation + goal_mean
        out.append(np.clip(cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1))
    return out


def network(runtime: Runtime, remembers: bool = True, part: float = 1.0) -> Method:
    """Our relighter, with the rendered alpha in place of a segmenter, so that relighting alone is judged.

    remembers False: every frame is a first frame, as if there were no recurrent state. part: the side of the network's
    picture, of the whole's, in multiples of STRIDE.
    """

    def relight(images: F32, alphas: F32, light: F32) -> list[F32]:
        state: NetworkState | None = None
        out = []
        for image, alpha in zip(images, alphas, strict=True):
            whole = (image.shape[1], image.shape[0])
            small = cv2.resize(
                np.rint(image * 255).astype(np.uint8), [round(x * part / STRIDE) * STRIDE for x in whole]
            )
            result = runtime.run(small, light, state if remembers else None)
            state = result.state
            gain, offset = (cv2.resize(x, whole) for x in (result.gain, result.offset))
            out.append(np.clip(composite(image, alpha, gain, offset), 0, 1))
        return out

    return relight


def torch_network(weights: RelightNetwork) -> Method:
    """``network`` for weights that were not exported, with their state."""

    def chw(array: F32) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))[None]

    def relight(images: F32, alphas: F32, light: F32) -> list[F32]:
        out, code = [], chw(light)
        with torch.inference_mode():
            state = weights.start(1, *images.shape[1:3])
            for image, alpha in zip(images, alphas, strict=True):
                picture = chw(image)
                source = weights.analyse(picture, *state)
                state = (source.state8, source.state16)
                relit = composite(picture, chw(alpha), *weights.render(source, code))
                out.append(relit[0].permute(1, 2, 0).clamp(0, 1).numpy())
        return out

    return relight


def command(template: str, timeout_s: float = 600) -> Method:
    """Any relighter as a command with {source} (.png), {environment} (.hdr, 2:1) and {out} (.png to be written).

    Raises RivalError if it fails, runs longer than timeout_s, or writes no picture of the source's size.
    """

    def relight(images: F32, alphas: F32, light: F32) -> list[F32]:
        with tempfile.TemporaryDirectory() as folder:
            source, environment, out = (Path(folder) / name for name in ("source.png", "environment.hdr", "out.png"))
            cv2.imwrite(str(environment), cv2.resize(light, (64, 32), interpolation=cv2.INTER_LINEAR)[..., ::-1])
            return [_one(template, image, source, environment, out, timeout_s) for image in images]

    return relight


def _one(template: str, image: F32, source: Path, environment: Path, out: Path, timeout_s: float) -> F32:
    cv2.imwrite(str(source), np.rint(image[..., ::-1] * 255).astype(np.uint8))
    out.unlink(missing_ok=True)
    words = [word.format(source=source, environment=environment, out=out) for word in shlex.split(template)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise RivalError(f"{words[0]} did not run to its end: {exc}") from exc
    if done.returncode != 0:
        raise RivalError(f"{words[0]} ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
    picture = cv2.imread(str(out), cv2.IMREAD_COLOR)
    if picture is None or picture.shape != image.shape:
        got = "no picture" if picture is None else f"{picture.shape[1]}x{picture.shape[0]}"
        raise RivalError(f"{words[0]} wrote {got}; expected {out.name} of {image.shape[1]}x{image.shape[0]}")
    return np.asarray(picture[..., ::-1].astype(np.float32) / 255)
