"""Relighter: one frame in, the same person under another light out; its state goes in and comes out."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.config import RelightSettings
from livelight.frame import Frame
from livelight.lighting import Light
from livelight.recombine import Recombiner
from livelight.runtimes import STRIDE, NetworkOutput, NetworkState, Runtime, open_runtime
from livelight.scratch import Scratch
from livelight.segment import MatteEdges, MatteState, Segmenter, SelfieSegmenter, steady

AREA = 256 * 256
"""Pixels that the network sees: a frame of any shape is brought to about this many, its aspect kept."""


def network_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the network's picture for a frame: multiples of STRIDE, about AREA pixels, the same aspect."""
    scale = math.sqrt(AREA / (width * height))
    w, h = (min(max(round(x * scale / STRIDE), 2), 64) * STRIDE for x in (width, height))
    return w, h


@dataclass(frozen=True, slots=True)
class State:
    """All that is remembered from frame to frame of one person's stream."""

    network: NetworkState
    matte: MatteState
    size: tuple[int, int]


class Relighter:
    """Relights frames of any size. One thread at a time; several streams may take turns, each with its own state.

    ``close``, or the end of a ``with`` block, ends its thread.

    timings_ms: milliseconds of the stages of the last step, by name. "segment beside" runs on a thread of its own while
    the network runs; what of it outlasts the network is in "matte". The others add up to the step.
    """

    def __init__(self, runtime: Runtime, segmenter: Segmenter) -> None:
        self._runtime = runtime
        self._segmenter = segmenter
        self._scratch = Scratch()
        self._beside = ThreadPoolExecutor(1, "livelight-segment")
        self._recombine = Recombiner(self._scratch)
        self.timings_ms: dict[str, float] = {}

    @property
    def runtime_name(self) -> str:
        return self._runtime.name

    def step(self, frame: Frame, light: Light, state: State | None = None) -> tuple[Frame, State]:
        """Relight one frame under ``light``. None starts; a state of another frame size is dropped."""
        size = (frame.width, frame.height)
        if state is not None and state.size != size:
            state = None
        started = time.perf_counter()
        half = cv2.resize(frame.image, (max(frame.width // 2, 1), max(frame.height // 2, 1)))
        # The segmenter runs on one core: beside the network it costs hardly anything.
        segmented = self._beside.submit(self._segment, half)
        output = self.analyse(half, size, light, state)
        analysed = time.perf_counter()
        coarse, segment_ms = segmented.result()
        matte, alpha, matte_state = self._refine(coarse, frame.image, half, state)
        refined = time.perf_counter()
        image = frame.image
        if light.intensity > 0 or light.backdrop is not None or light.blur > 0:
            image = self._recombine(frame.image, output.gain, output.offset, matte, alpha, light)
        done = time.perf_counter()
        self.timings_ms = {
            "network": (analysed - started) * 1e3,
            "segment beside": segment_ms,
            "matte": (refined - analysed) * 1e3,
            "recombine": (done - refined) * 1e3,
        }
        return frame.with_image(image), State(output.state, matte_state, size)

    def close(self) -> None:
        """End the segmenter's thread; of no more use then. May be called twice."""
        self._beside.shutdown()

    def __enter__(self) -> Relighter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def analyse(
        self, picture: NDArray[np.uint8], size: tuple[int, int], light: Light, state: State | None
    ) -> NetworkOutput:
        """The network's whole answer on a picture of a frame of ``size`` (width, height), before recombination."""
        small = cv2.resize(picture, network_size(*size))
        return self._runtime.run(small, light.code, None if state is None else state.network)

    def _segment(self, half: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        """The coarse matte and the milliseconds it took."""
        started = time.perf_counter()
        return self._segmenter.segment(half), (time.perf_counter() - started) * 1e3

    def _refine(
        self, coarse: NDArray[np.float32], image: NDArray[np.uint8], half: NDArray[np.uint8], state: State | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], MatteState]:
        """The matte on the network's grid, steady in time; alpha at full resolution; what to remember."""
        w, h = network_size(image.shape[1], image.shape[0])
        luma = cv2.cvtColor(cv2.resize(half, (w, h)), cv2.COLOR_RGB2GRAY).astype(np.float32) * np.float32(1 / 255)
        matte = cv2.resize(coarse, (w, h))
        matte, matte_state = steady(matte, luma, None if state is None else state.matte)
        alpha = MatteEdges.fit(matte, luma).at(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), self._scratch)
        return matte, alpha, matte_state


def model_path(model: str) -> Path:
    """The .onnx file of a relighter: a shipped one by name ("live"), else a path."""
    if model == "live":
        return Path(str(files("livelight") / "models" / "relighter.onnx"))
    return Path(model)


def build_relighter(settings: RelightSettings) -> Relighter:
    """The relighter that the settings ask for. Raises RuntimeFailure or MissingExtra when an engine cannot start."""
    runtime = open_runtime(settings.runtime, model_path(settings.model), settings.threads)
    return Relighter(runtime, SelfieSegmenter())
