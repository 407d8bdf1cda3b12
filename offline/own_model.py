"""Our own diffusion model: ships with the project, needs no torch. What it is: offline/diffusion_network.py."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from livelight.errors import RuntimeFailure, SettingsError
from livelight.runtimes import STRIDE, start_state
from offline import near_view
from offline.brightnesses import brightnesses
from offline.clip_graph import Graph, open_graph
from offline.denoiser import F32, Condition, Plan, Shape
from offline.settings import DiffusionSettings, check_overlap
from offline.views import LARGE, SMALLER

TOP = 80.0
"""The noise that sampling begins with; the lowest is 0.5."""

STATE_STRIDES = (8, 16)
"""Of the frozen base, a live relighter: by how much smaller than the picture its states are."""

STORED: Mapping[str, Any] = {"latents": "float16", "image": "unit", "matte": "unit"} | dict.fromkeys(
    ("state8", "state16", "mirrored8", "mirrored16", "views"), "float16"
)

NOT_IN_GRAPH = ("mirrored", "views")
"""How the names of conditions begin that are no inputs of the graph."""

FIXED_BYTES, BYTES_PER_PIXEL = 160_000_000, 552
"""Memory of the engine: whatever the window, and for each pixel of each of its frames. Measured with OpenVINO, 2 % off
at most from 4 frames of 192x112 to 32 of 336x192: python -m tests.offline.engine_memory."""


def weights_folder() -> Path:
    """Where diffusion.onnx, diffusion.json, diffusion_base.onnx and diffusion_large.onnx lie."""
    return Path(str(files("offline") / "weights"))


def noise_levels(steps: int) -> tuple[float, ...]:
    """``steps`` levels from TOP down, even on the log scale, then no noise. One step is the mean of what may be."""
    return (*(float(s) for s in np.geomspace(TOP, 0.5, steps)), 0.0) if steps > 1 else (TOP, 0.0)


class OwnDenoiser:
    """Every frame is seen as it is and in a mirror, and with IIE in several brightnesses; the answers are averaged.

    What other views add (offline.views) is known beforehand.
    """

    max_frames = 32

    def __init__(self, graph: Graph, iie: int, mirrors: bool = True) -> None:
        """mirrors: off only to measure what the mirror is worth."""
        self._graph, self._iie = graph, iie
        self._turns = (False, True) if mirrors else (False,)

    def __call__(self, x: F32, sigma: float, condition: Condition) -> F32:
        level = np.full(1, sigma, np.float32)
        views = [
            self._seen(x, level, condition, mirrored, brightness)
            for brightness in brightnesses(self._iie)
            for mirrored in self._turns
        ]
        clean = np.asarray(sum(views[1:], views[0]) / np.float32(len(views)) + condition["views"], np.float32)
        if not np.isfinite(clean).all():
            raise RuntimeFailure("the diffusion network returned values that are not finite; report this clip")
        return clean

    def _seen(self, x: F32, sigma: F32, condition: Condition, mirrored: bool, brightness: float) -> F32:
        """The answer to one view of the frames, turned back."""
        image = np.minimum(condition["image"] * np.float32(brightness), np.float32(1))
        inputs = {"x": x, "image": image, "matte": condition["matte"], "light": condition["light"]}
        if mirrored:
            inputs = {name: np.ascontiguousarray(value[..., ::-1]) for name, value in inputs.items()}
        name = "mirrored" if mirrored else "state"
        states = {f"state{stride}": condition[f"{name}{stride}"] for stride in STATE_STRIDES}
        clean = self._graph(inputs | states | {"sigma": sigma})
        return clean[..., ::-1] if mirrored else clean


class OwnModel:
    """A ClipModel for pictures of one size (width, height)."""

    name = "diffusion"
    multiple = STRIDE

    def __init__(self, settings: DiffusionSettings, size: tuple[int, int], threads: int, folder: Path) -> None:
        """Raises SettingsError, and RuntimeFailure if the weights or all engines are missing."""
        if settings.size is not None:
            raise SettingsError(
                f"--size {settings.size}: --model diffusion works at the live relighter's size; drop it."
            )
        check_overlap(settings)
        weights, notes = folder / "diffusion.onnx", folder / "diffusion.json"
        self.base, self.large = folder / "diffusion_base.onnx", folder / "diffusion_large.onnx"
        for path in (weights, notes, self.base, self.large):
            if not path.is_file():
                raise RuntimeFailure(f"{path} is missing; install LiveLight again.")
        noted = json.loads(notes.read_text())
        self._flops_per_pixel = float(noted["flops_per_pixel"])
        self._state_channels: dict[str, int] = noted["state_channels"]
        steps = 1 if settings.steps is None else settings.steps
        self.plan = Plan("euler", noise_levels(steps), settings.window, settings.overlap, True, STORED)
        networks = b"".join(path.read_bytes() for path in (weights, self.base, self.large))
        mark = hashlib.sha256(networks).hexdigest()[:16]
        self.fingerprint = f"diffusion {mark} iie {settings.iie} views {SMALLER} {LARGE} near {near_view.SIDE}"
        self._size, self._views = size, 2 * settings.iie
        self.peak_bytes = FIXED_BYTES + BYTES_PER_PIXEL * settings.window * size[0] * size[1]
        self._graph = open_graph(weights, settings.device, threads)
        self._denoiser = OwnDenoiser(self._graph, settings.iie)

    @property
    def denoiser(self) -> OwnDenoiser:
        return self._denoiser

    def latent_shape(self, width: int, height: int) -> Shape:
        return (3, height // 2, width // 2)

    def condition_shapes(self, width: int, height: int) -> dict[str, Shape]:
        half = (height // 2, width // 2)
        shapes: dict[str, Shape] = {
            "image": (3, height, width), "matte": (1, *half), "light": (3, 16, 16), "views": (3, *half)
        }  # fmt: skip
        for kind in ("state", "mirrored"):
            channels = self._state_channels
            for name, state in zip(channels, start_state(channels, height, width), strict=True):
                shapes[name.replace("state", kind)] = state.shape[1:]
        return shapes

    def window_flops(self, width: int, height: int) -> float:
        return self._flops_per_pixel * width * height * self.plan.window * self._views

    def speed(self) -> float:
        """From one view of one window; the engine compiles it on the way, as it must anyway."""
        width, height = self._size
        frames = self.plan.window
        shapes = self.condition_shapes(width, height) | {"x": self.latent_shape(width, height)}
        inputs = {n: np.zeros((frames, *s), np.float32) for n, s in shapes.items() if not n.startswith(NOT_IN_GRAPH)}
        inputs["sigma"] = np.ones(1, np.float32)
        self._graph(inputs)
        started = time.monotonic()
        self._graph(inputs)
        return self._flops_per_pixel * width * height * frames / (time.monotonic() - started)


def open_own_model(settings: DiffusionSettings, size: tuple[int, int], threads: int = 0) -> OwnModel:
    """The shipped model for pictures of ``size`` (width, height)."""
    return OwnModel(settings, size, threads, weights_folder())
