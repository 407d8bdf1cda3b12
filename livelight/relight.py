"""Relighter: one frame in, the same person under another light out; its state goes in and comes out."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.bands import Bands
from livelight.brightness import Sample, brightened, followed
from livelight.config import RelightSettings
from livelight.distance import Distance
from livelight.frame import Frame
from livelight.lighting import Light
from livelight.quality import FULL_AREA, LEVELS, Quality
from livelight.recombine import Ground, Recombiner
from livelight.runtimes import STRIDE, NetworkOutput, NetworkState, Runtime, open_runtime
from livelight.segment import MatteEdges, MatteState, Segmenter, steady
from livelight.segmenters import open_segmenter
from livelight.steadying import Motion, Steadied, steadied


def network_size(width: int, height: int, area: int = FULL_AREA) -> tuple[int, int]:
    """(width, height) of the network's picture for a frame: multiples of STRIDE, about ``area`` pixels, its aspect."""
    scale = math.sqrt(area / (width * height))
    w, h = (min(max(round(x * scale / STRIDE), 2), 64) * STRIDE for x in (width, height))
    return w, h


@dataclass(frozen=True, slots=True)
class State:
    """All that is remembered from frame to frame of one person's stream.

    size: (width, height) of the frame. seen: (width, height) of the network's picture. matte_age: frames since the
    person was segmented, 0 for the last one. brightened: stops (livelight.brightness), None before the first.
    change: livelight.steadying. distance: how far off the person is, None where the network's picture is of one size.
    """

    network: NetworkState
    matte: MatteState
    size: tuple[int, int]
    seen: tuple[int, int]
    matte_age: int = 0
    brightened: float | None = None
    change: Steadied | None = None
    distance: Distance | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """What the last step knew besides its picture; the arrays hold until the next step.

    output: the network's answer, steadied. alpha: float32 (h, w) in [0, 1], the person's matte at the frame's
    resolution.
    """

    output: NetworkOutput
    alpha: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a frame says without the network, or with its matte alone.

    matte: float32 on a grid of FULL_AREA pixels, steady in time. alpha: as Inside.alpha. state: to be remembered.
    motion: for livelight.steadying. sample: for livelight.brightness. ground: for livelight.recombine, None where
    nothing is to be changed.
    """

    matte: NDArray[np.float32]
    alpha: NDArray[np.float32]
    state: MatteState
    motion: Motion
    sample: Sample
    ground: Ground | None
    elapsed_ms: float


class Relighter:
    """Relights frames of any size. One thread at a time; several streams may take turns, each with its own state.

    ``close``, or the end of a ``with`` block, ends its threads. Adjustable (livelight.quality): at a lower level the
    network sees a smaller picture, and the person is segmented less often. levels: from best to fastest, one at least.
    segmenter: None takes the matte of the relighter's own network.

    timings_ms: milliseconds of the stages of the last step, by name. "matte beside", all that does not need the
    network's answer, runs on a thread of its own while the network runs; what of it outlasts the network is "matte".
    (Without a segmenter it waits for the network's matte, and that counts in.)
    The others add up to the step.
    """

    def __init__(self, runtime: Runtime, segmenter: Segmenter | None, levels: Sequence[Quality] = LEVELS) -> None:
        self._runtime = runtime
        self._levels = levels
        self._segmenter = segmenter
        self._bands = Bands()
        self._recombine = Recombiner(self._bands)
        self._alpha = np.empty((0, 0), np.float32)
        self._quality = self._levels[0]
        self._own: Future[NDArray[np.float32]] = Future()
        self.timings_ms: dict[str, float] = {}
        self.inside: Inside | None = None

    @property
    def runtime_name(self) -> str:
        return self._runtime.name

    @property
    def level_names(self) -> tuple[str, ...]:
        return tuple(quality.name for quality in self._levels)

    def set_level(self, level: int) -> None:
        self._quality = self._levels[min(level, len(self._levels) - 1)]

    def step(self, frame: Frame, light: Light, state: State | None = None) -> tuple[Frame, State]:
        """Relight one frame under ``light``. None starts; a state of another frame size is dropped."""
        size = (frame.width, frame.height)
        if state is not None and state.size != size:
            state = None
        started = time.perf_counter()
        half = cv2.resize(frame.image, (max(frame.width // 2, 1), max(frame.height // 2, 1)))
        distance = self._distance(half, size, state)
        area = self._quality.area
        seen = network_size(*size, area if distance is None else round(area * distance.growth))
        small = cv2.resize(half, seen)
        age = 0 if state is None else (state.matte_age + 1) % self._quality.matte_every
        # All of this runs on one core: beside the network it costs half of what it costs after it.
        hurry = threading.Event()
        self._own = own = Future[NDArray[np.float32]]()
        beside = self._bands.executor.submit(self._look, frame.image, half, small, light, state, age == 0, hurry, own)
        try:
            output = self._analysed(small, seen, light, state)
            own.set_result(output.matte)
        finally:
            own.cancel()  # does nothing to a result; without one nobody waits for it
            analysed = time.perf_counter()
            hurry.set()
            wait([beside])  # also when the network failed: it writes into alpha
        seen_of = beside.result()
        refined = time.perf_counter()
        output, change = steadied(output, seen_of.motion, None if state is None else state.change)
        stops = None if state is None else state.brightened
        if light.brighten > 0:
            stops = followed(stops, seen_of.sample.lost(output.gain, output.offset, light.exposure_stops))
            light = brightened(light, stops)
        image = frame.image
        if seen_of.ground is not None:
            image = self._recombine.finish(seen_of.ground, output.gain, output.offset, light)
        done = time.perf_counter()
        self.timings_ms = {
            "network": (analysed - started) * 1e3,
            "matte beside": seen_of.elapsed_ms,
            "matte": (refined - analysed) * 1e3,
            "recombine": (done - refined) * 1e3,
        }
        self.inside = Inside(output, seen_of.alpha)
        distance = None if distance is None else distance.after(seen_of.matte, area)
        return frame.with_image(image), State(output.state, seen_of.state, size, seen, age, stops, change, distance)

    def close(self) -> None:
        """End its threads; of no more use then. May be called twice."""
        self._own.cancel()
        self._bands.close()

    def __enter__(self) -> Relighter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def analyse(
        self, picture: NDArray[np.uint8], size: tuple[int, int], light: Light, state: State | None
    ) -> NetworkOutput:
        """The network's whole answer on a picture of a frame of ``size`` (width, height), before recombination."""
        seen = network_size(*size, self._quality.area)
        return self._analysed(cv2.resize(picture, seen), seen, light, state)

    def _analysed(
        self, small: NDArray[np.uint8], seen: tuple[int, int], light: Light, state: State | None
    ) -> NetworkOutput:
        """The network's answer to a picture of size ``seen``."""
        remembered = None if state is None else resized_state(state.network, state.seen, seen)
        return self._runtime.run(small, light.code, remembered)

    def _distance(self, half: NDArray[np.uint8], size: tuple[int, int], state: State | None) -> Distance | None:
        """How far off the person of a frame of ``size`` is, from the one before; of a first frame from its matte."""
        if not self._quality.grows:
            return None
        if state is not None:
            return state.distance or Distance()
        if self._segmenter is None:
            return Distance()
        return Distance.of(cv2.resize(self._segmenter.segment(half), network_size(*size)), self._quality.area)

    def _look(
        self, image: NDArray[np.uint8], half: NDArray[np.uint8], small: NDArray[np.uint8], light: Light,
        state: State | None, segment: bool, hurry: threading.Event, own: Future[NDArray[np.float32]],
    ) -> Seen:  # fmt: skip
        """All that needs no network, or its matte alone. half, small: the image at half its size, and the network's
        picture; segment, own: see ``_matte``; hurry: set when the network is done."""
        started = time.perf_counter()
        motion = Motion.of(small, light.code, None if state is None else state.change)
        matte, matte_state, edges = self._matte(image, half, state, segment, own)
        if self._alpha.shape != image.shape[:2]:
            self._alpha = np.empty(image.shape[:2], np.float32)  # once: page faults would cost more than all its sums
        sample, ground = Sample.of(small, matte), None
        if light.intensity > 0 or light.backdrop is not None or light.blur > 0:
            write = edges.writer(image, self._alpha)
            ground = self._recombine.prepare(image, small, matte, self._alpha, light, write, hurry)
        else:
            edges.at(image, self._alpha)
        return Seen(matte, self._alpha, matte_state, motion, sample, ground, (time.perf_counter() - started) * 1e3)

    def _matte(
        self, image: NDArray[np.uint8], half: NDArray[np.uint8], state: State | None, segment: bool,
        own: Future[NDArray[np.float32]],
    ) -> tuple[NDArray[np.float32], MatteState, MatteEdges]:  # fmt: skip
        """Where the person is: Seen.matte, its state, and what gives alpha.

        segment: False takes the last matte, which the new frame's edges then pull into place. own: the network's matte,
        waited for only if there is no segmenter.
        """
        size = network_size(image.shape[1], image.shape[0])
        luma = cv2.cvtColor(cv2.resize(half, size), cv2.COLOR_RGB2GRAY).astype(np.float32) * np.float32(1 / 255)
        if segment or state is None:
            found = own.result() if self._segmenter is None else self._segmenter.segment(half)
            coarse = cv2.resize(found, size)
            matte, matte_state = steady(coarse, luma, None if state is None else state.matte)
        else:
            matte = cv2.resize(state.matte.matte, size)
            matte_state = MatteState(matte, luma)
        return matte, matte_state, MatteEdges.fit(matte, luma)


def resized_state(network: NetworkState, before: tuple[int, int], after: tuple[int, int]) -> NetworkState:
    """A state of the network for a picture of another size; ``before`` and ``after``: (width, height)."""
    if before == after:
        return network
    resized = []
    for array in network:
        _, channels, h, w = array.shape
        size = (w * after[0] // before[0], h * after[1] // before[1])
        maps = cv2.resize(np.ascontiguousarray(array[0].transpose(1, 2, 0)), size).reshape(size[1], size[0], channels)
        resized.append(np.ascontiguousarray(maps.transpose(2, 0, 1)[None]))
    return tuple(resized)


def model_path(model: str) -> Path:
    """The .onnx file of a relighter: the one that ships ("live"), else a path."""
    return Path(str(files("livelight") / "models" / "relighter.onnx")) if model == "live" else Path(model)


def build_relighter(settings: RelightSettings) -> Relighter:
    """The relighter that the settings ask for. Raises RuntimeFailure or MissingExtra when an engine cannot start."""
    # Layers that are split over both of two cores would wait, each, for the one that the matte is made on.
    threads = settings.threads or (1 if os.cpu_count() == 2 else 0)
    runtime = open_runtime(settings.runtime, model_path(settings.model), threads)
    own = settings.segmenter == "own"
    return Relighter(runtime, None if own else open_segmenter(settings.segmenter, settings.runtime))
