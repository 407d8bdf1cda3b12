"""An engine against the slow truth on a sequence, before first use: a drift of the states shows only there."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from livelight.errors import RuntimeFailure
from livelight.lighting import Light
from livelight.relight import network_size
from livelight.runtimes.live_inputs import STATES, knobs
from livelight.runtimes.live_path import DeviceState, LivePath
from trt_engines.live_graph import LiveGraph

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

FRAMES = 16

PSNR_DB = 36.0
"""Least PSNR of any frame against the float32 reference: an rms of 4 of 255 levels. FACTS: bf16 gives 48, a broken
int8 21."""

STATE_RMS = 0.1
"""Most rms difference of a state after the last frame, as a part of the state's own rms."""


@dataclass(frozen=True)
class Verification:
    """How far an engine is from the reference over FRAMES frames. Levels are of 255; psnr_db is of the worst frame."""

    max_levels: float
    mean_levels: float
    psnr_db: float
    state_rms: float

    def numbers(self) -> dict[str, float]:
        return asdict(self)

    def refusal(self) -> str:
        """Why the engine must not be used; empty if it may."""
        if not self.psnr_db >= PSNR_DB:
            return f"its pictures differ from the reference: {self.psnr_db:.1f} dB, expected {PSNR_DB:.0f} or more"
        if not self.state_rms <= STATE_RMS:
            return f"its state drifts from the reference: {self.state_rms:.1%} rms, expected {STATE_RMS:.0%} or less"
        return ""


@dataclass(frozen=True)
class Moment:
    """Inputs of one frame: image uint8 (h, w, 3), coarse float32 on the network's grid, light."""

    image: U8
    coarse: F32
    light: Light


def scene(width: int, height: int, blur: bool, count: int) -> list[Moment]:
    """A moving, flickering picture with a swaying oval person, under lights that change; half of it on a backdrop."""
    rng = np.random.default_rng(11)
    w, h = network_size(width, height)
    grain = rng.random((24, 32, 3), np.float32)
    backdrop = cv2.resize((rng.random((8, 8, 3)) * 255).astype(np.uint8), (width, height))
    y, x = np.mgrid[:h, :w].astype(np.float32)
    moments = []
    for t in range(count):
        shift = np.array([[1, 0, width * t / 300], [0, 1, 0]], np.float32)
        room = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
        room = cv2.warpAffine(room, shift, (width, height), borderMode=cv2.BORDER_REFLECT)
        image = (room * (230 + 25 * np.sin(t))).clip(0, 255).astype(np.uint8)
        middle = w * (0.5 + 0.04 * np.sin(t / 3))
        far = ((x - middle) / (0.22 * w)) ** 2 + ((y - 0.6 * h) / (0.45 * h)) ** 2
        code = np.random.default_rng(t // 4).gamma(0.5, 1.0, (16, 16, 3)).astype(np.float32)
        behind = backdrop if not blur and t % 8 >= 4 else None
        light = Light(code, behind, 12.0 if blur else 0.0, 0.9, np.array([1.1, 1.0, 0.9], np.float32))
        moments.append(Moment(image, np.clip(2.5 - 2.5 * far, 0, 1).astype(np.float32), light))
    return moments


def reference(graph: LiveGraph, moments: list[Moment]) -> tuple[list[U8], dict[str, F32]]:
    """Pictures, the last one's planes if it has some, and states, of the float32 torch module on the CPU."""
    states = graph.example(1)[-len(STATES) :]
    pictures = []
    code: F32 | None = None
    for moment in moments:
        row = knobs(moment.light, moment.image.shape[0], code)
        code = moment.light.code
        first: list[NDArray[np.generic]] = [moment.image, moment.coarse, moment.light.code, row]
        if not graph.blur:
            first.append(moment.image if moment.light.backdrop is None else moment.light.backdrop)
        with torch.inference_mode():
            picture, *planes_and_states = graph(*(torch.from_numpy(a[None]) for a in first), *states)
        states, planes = planes_and_states[-len(STATES) :], planes_and_states[: -len(STATES)]
        pictures.append(picture[0].numpy())
    pictures += [x[0].numpy() for x in planes]
    return pictures, {name: x.numpy() for name, x in zip(STATES, states, strict=True)}


def engine_pictures(path: LivePath, moments: list[Moment]) -> tuple[list[U8], dict[str, F32]]:
    """The same of an engine for one stream."""
    state: DeviceState | None = None
    code: F32 | None = None
    pictures = []
    for moment in moments:
        height = moment.image.shape[0]
        path.inputs["frame"][0], path.inputs["coarse"][0] = moment.image, moment.coarse
        path.inputs["light"][0], path.inputs["knobs"][0] = moment.light.code, knobs(moment.light, height, code)
        code = moment.light.code
        if moment.light.backdrop is not None:
            path.inputs["backdrop"][0] = moment.light.backdrop
        state = path.step(state, moment.light.backdrop is not None, planes=True)
        pictures.append(path.picture[0].copy())
    assert state is not None
    if path.planes is not None:
        pictures.append(path.planes[0].copy())
    return pictures, path.read_states(state)


def compare(pictures: list[U8], states: dict[str, F32], truth: list[U8], true_states: dict[str, F32]) -> Verification:
    """Distances; raises RuntimeFailure for a result that is no picture at all."""
    for t, picture in enumerate(pictures):
        if not picture.any() and truth[t].any():
            raise RuntimeFailure(f"the engine returned an all-zero picture (frame {t}); it is refused")
    if not all(np.isfinite(x).all() for x in states.values()):
        raise RuntimeFailure("the engine returned a state that is not finite; it is refused")
    gaps = [np.abs(a.astype(np.float32) - b) for a, b in zip(pictures, truth, strict=True)]
    worst = max(float((gap**2).mean()) for gap in gaps)
    drift = max(
        float(np.sqrt(((states[name] - true) ** 2).mean() / max((true**2).mean(), 1e-6)))
        for name, true in true_states.items()
    )
    return Verification(
        max_levels=max(float(gap.max()) for gap in gaps),
        mean_levels=float(np.mean([gap.mean() for gap in gaps])),
        psnr_db=round(float(10 * np.log10(255**2 / max(worst, 1e-9))), 2),
        state_rms=round(drift, 5),
    )


def verified(played: tuple[list[U8], dict[str, F32]], graph: LiveGraph, moments: list[Moment]) -> Verification:
    """``played`` (engine_pictures of ``moments``) against the reference. graph: float32.

    Raises RuntimeFailure if the engine must not be used.
    """
    verification = compare(*played, *reference(graph, moments))
    if refusal := verification.refusal():
        raise RuntimeFailure(f"the engine is refused: {refusal}; try --precision fp32, or report this card")
    return verification
