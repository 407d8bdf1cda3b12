"""Our diffusion model under the contract of training.methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from livelight.runtimes import NetworkState, open_runtime
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
    large: bool = True,
) -> Method:  # fmt: skip
    """The model of a folder (training.export_diffusion). temporal off: every frame is a window of its own.

    sizes, large off: without smaller pictures and without the larger relighter (offline.views).
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
        look, pictures = Look(base, others), np.rint(images * 255).astype(np.uint8)
        every = [look.at(p, a[..., 0], light) for p, a in zip(pictures, alphas, strict=True)]
        told = {name: np.concatenate([each[name] for each in every]) for name in every[0]}
        if temporal:
            wanted = levels(told)
        else:
            wanted = np.concatenate([levels({n: v[k : k + 1] for n, v in told.items()}) for k in range(len(every))])
        state: NetworkState | None = None
        out = []
        for image, picture, alpha, goal in zip(images, pictures, alphas, wanted, strict=True):
            seen = base.run(picture, light, state)
            state = seen.state
            gain, offset = brought_to(image, seen.gain, seen.offset, goal)
            out.append(np.clip(composite(image, alpha, gain, offset), 0, 1))
        return out

    return relight
