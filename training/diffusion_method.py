"""Our diffusion model under the contract of training.methods."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from livelight.runtimes import STRIDE, NetworkState, open_runtime
from offline.clip_graph import open_graph
from offline.level import brought_to
from offline.noise import frame_noise
from offline.own_model import OwnDenoiser, noise_levels
from offline.own_passes import Look
from offline.samplers import SAMPLERS, sample
from offline.views import others_of
from training.composite import composite
from training.methods import F32, Method


def diffusion(
    folder: Path, steps: int = 1, iie: int = 1, temporal: bool = True, mirrors: bool = True, sizes: bool = True,
    large: bool = True, near: bool = True, part: float = 1.0,
) -> Method:  # fmt: skip
    """The model of a folder (training.export_diffusion). temporal off: every frame is a window of its own.

    sizes, large off: without smaller pictures and without the larger relighter (offline.views).
    near off: without the look at the head (offline.near_view). part: the side of the base's picture, of the whole's.
    """
    base, second = (open_runtime("auto", folder / f"diffusion_{name}.onnx") for name in ("base", "large"))
    asked = others_of(base, second)
    others = [(who, view) for who, view in asked if (large or who is base) and (sizes or view.part == 1)]
    denoiser = OwnDenoiser(open_graph(folder / "diffusion.onnx", "cpu", 0), iie, mirrors)

    def levels(told: dict[str, F32]) -> F32:
        frames, _, h, w = told["image"].shape
        noise = frame_noise(0, 0, 0, frames, (3, h // 2, w // 2), shared=True)
        clean = sample(lambda x, s: denoiser(x, s, told), SAMPLERS["euler"], noise_levels(steps), lambda i: noise)
        return np.asarray(clean, np.float32)

    def relight(images: F32, alphas: F32, light: F32) -> list[F32]:
        look, frames = Look(base, others, near), np.rint(images * 255).astype(np.uint8)
        whole = (images.shape[2], images.shape[1])
        pictures = [cv2.resize(frame, [round(x * part / STRIDE) * STRIDE for x in whole]) for frame in frames]
        seen = [look.at(p, a[..., 0], light, f) for p, a, f in zip(pictures, alphas, frames, strict=True)]
        told = {name: np.concatenate([each[name] for each in seen]) for name in seen[0]}
        if temporal:
            wanted = levels(told)
        else:
            wanted = np.concatenate([levels({n: v[k : k + 1] for n, v in told.items()}) for k in range(len(seen))])
        state: NetworkState | None = None
        out = []
        for image, picture, alpha, goal in zip(images, pictures, alphas, wanted, strict=True):
            found = base.run(picture, light, state)
            state = found.state
            coded = picture.astype(np.float32) / np.float32(255)
            gain, offset = (cv2.resize(x, whole) for x in brought_to(coded, found.gain, found.offset, goal))
            out.append(np.clip(composite(image, alpha, gain, offset), 0, 1))
        return out

    return relight
