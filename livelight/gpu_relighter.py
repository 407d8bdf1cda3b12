"""The relighter whose whole path after the person segmenter is one engine on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.batch import Job
from livelight.brightness import GAMMA, brightened, followed, lost_stops, luma_of
from livelight.errors import RuntimeFailure
from livelight.frame import Frame
from livelight.lighting import Light
from livelight.quality import LEVELS
from livelight.relight import network_size
from livelight.runtimes.device import Device
from livelight.runtimes.live_inputs import knobs
from livelight.runtimes.live_path import DeviceState, LivePath
from livelight.runtimes.tensorrt_runtime import TensorRtEngine
from livelight.segment import Segmenter
from livelight.watch import Watch

OPEN_S, START_S, STEP_S, CLOSE_S = 30.0, 120.0, 1.0, 5.0
"""How long the GPU may take to be opened, to load an engine and compile its kernels, for one frame, to be freed."""

KEPT = 4
"""Frame sizes whose engines stay ready: sessions with pictures of different sizes take turns."""

FAINTEST = 0.1
"""Intensity below which a relit picture of 8 bits no longer tells what the light alone would make of the person."""


class EngineSource(Protocol):
    """Where engines come from."""

    flavour: str
    """tensorrt or tensorrt-rtx."""

    max_streams: int
    """How many streams one run of its engines takes."""

    def engine(self, width: int, height: int, blur: bool) -> Path:
        """The verified engine file for frames of a size; may build it first. Raises LiveLightError."""
        ...


@dataclass(frozen=True, slots=True)
class GpuState:
    """What is remembered of one stream: states on ``device``, of frames of ``size`` (width, height).

    code: (16, 16, 3), of the last light. brightened: stops (livelight.brightness), None before the first.
    """

    states: DeviceState
    size: tuple[int, int]
    device: Device
    code: NDArray[np.float32]
    brightened: float | None = None


class _Ready:
    """What stands ready for one frame size: a device of its own, and paths by blur and number of streams."""

    def __init__(self, device: Device, size: tuple[int, int], engines: EngineSource, watch: Watch) -> None:
        self.device = device
        self._size, self._engines, self._watch = size, engines, watch
        self._paths: dict[tuple[bool, int], LivePath] = {}
        self._behind: dict[tuple[bool, int], list[NDArray[np.uint8] | None]] = {}

    def path(self, blur: bool, streams: int) -> LivePath:
        """Opened, and its engine built if need be, when it is first asked for."""
        path = self._paths.get((blur, streams))
        if path is None:
            file = self._engines.engine(*self._size, blur)
            with self._watch.within(START_S, "loading its engine"):
                path = self._paths[blur, streams] = self._loaded(file, streams)
            self._behind[blur, streams] = [None] * streams
        return path

    def _loaded(self, file: Path, streams: int) -> LivePath:
        engine = TensorRtEngine(file, self._engines.flavour, self.device, streams)
        expected = (streams, self._size[1], self._size[0], 3)
        got = engine.tensors["frame"].shape if "frame" in engine.tensors else ()
        if got != expected:
            raise RuntimeFailure(f"the engine {file} is for other frames: expected {expected}, got {got}")
        return LivePath(self.device, engine)

    def new_backdrops(self, blur: bool, lights: Sequence[Light]) -> list[int]:
        """Numbers of the streams of a path whose backdrop is not the one that lies on the device."""
        behind = self._behind[blur, len(lights)]
        return [k for k, light in enumerate(lights) if light.backdrop is not None and light.backdrop is not behind[k]]

    def brought(self, blur: bool, lights: Sequence[Light], new: Sequence[int]) -> None:
        """The backdrops of these streams lie on the device now."""
        for number in new:
            self._behind[blur, len(lights)][number] = lights[number].backdrop


class GpuRelighter:
    """livelight.relight.Relighter on a GPU: the same ``step``, the state kept there. One thread at a time.

    A step crosses to the device once and back once. ``step_many`` (livelight.batch) puts the pictures of several
    streams through the engine in one run, each with its own state. The first frame of a size waits for its engine; the
    last KEPT sizes stay ready. Raises RuntimeFailure when the device or the engine fails; then it is of no more use.

    planes: whether relit frames carry Frame.planes too, where their sides are even. watch: says what it waits for, to
    whoever will not wait for a GPU that hangs.
    """

    def __init__(
        self,
        open_device: Callable[[], Device],
        engines: EngineSource,
        segmenter: Segmenter,
        planes: bool = False,
        watch: Watch | None = None,
    ) -> None:
        self._with_planes = planes
        self.watch = watch or Watch()
        self._open_device = open_device
        self._engines = engines
        self._segmenter = segmenter
        self._ready: dict[tuple[int, int], _Ready] = {}
        self.timings_ms: dict[str, float] = {}

    @property
    def runtime_name(self) -> str:
        return self._engines.flavour

    @property
    def level_names(self) -> tuple[str, ...]:
        """One: its engines are built for one size of the network."""
        return (LEVELS[0].name,)

    @property
    def max_batch(self) -> int:
        return self._engines.max_streams

    def set_level(self, level: int) -> None:
        """Nothing to choose."""

    def step(self, frame: Frame, light: Light, state: GpuState | None = None) -> tuple[Frame, GpuState]:
        """As Relighter.step; the new frame owns its picture."""
        return self.step_many([Job(frame, light, state)])[0]

    def batch_key(self, frame: Frame, light: Light) -> Hashable:
        """Frames of one size, all with a blurred room or none."""
        return frame.width, frame.height, _blurs(light)

    def step_many(self, jobs: Sequence[Job]) -> list[tuple[Frame, GpuState]]:
        """One run of the engine for 1 to ``max_batch`` jobs of one ``batch_key``."""
        size = (jobs[0].frame.width, jobs[0].frame.height)
        started = time.perf_counter()
        mattes = [self._coarse(job.frame.image) for job in jobs]
        matted = time.perf_counter()
        ready, blur = self._ready_for(size), _blurs(jobs[0].light)
        path = ready.path(blur, len(jobs))
        lights = [job.light for job in jobs]
        new = ready.new_backdrops(blur, lights)
        before = [_usable(job.state, size, ready.device) for job in jobs]
        stops = [None if old is None else old.brightened for old in before]
        inputs = path.inputs
        for number, job in enumerate(jobs):
            inputs["frame"][number] = job.frame.image
            inputs["coarse"][number] = mattes[number]
            inputs["light"][number] = job.light.code
        for number in new:
            inputs["backdrop"][number] = lights[number].backdrop
        after = self._run(path, jobs, before, stops, new)
        ready.brought(blur, lights, new)
        lost = [_lost(*each) for each in zip(jobs, path.picture, mattes, stops, strict=True)]
        following = [followed(*each) for each in zip(stops, lost, strict=True)]
        if any(last is None and by for last, by in zip(stops, following, strict=True)):
            after = self._run(path, jobs, before, following, ())  # a first picture as bright as those that come next
        pictures = [picture.copy() for picture in path.picture]
        planes = [None if given is None else given.copy() for given in self._planes_of(path)]
        self.timings_ms = {"matte": (matted - started) * 1e3, "gpu": (time.perf_counter() - matted) * 1e3}
        return [
            (job.frame.with_image(picture, own), GpuState(states, size, ready.device, job.light.code, bright))
            for job, picture, own, states, bright in zip(jobs, pictures, planes, after, following, strict=True)
        ]

    def _run(
        self, path: LivePath, jobs: Sequence[Job], before: Sequence[GpuState | None], stops: Sequence[float | None],
        new: Sequence[int],
    ) -> list[DeviceState]:  # fmt: skip
        """One run of the engine, each person brightened by their stops. new: numbers of new backdrops."""
        for number, (job, old, by) in enumerate(zip(jobs, before, stops, strict=True)):
            light = brightened(job.light, by or 0.0)
            path.inputs["knobs"][number] = knobs(light, job.frame.height, None if old is None else old.code)
        with self.watch.within(STEP_S, "a frame"):
            return path.step_each([None if old is None else old.states for old in before], new, self._with_planes)

    def _planes_of(self, path: LivePath) -> Sequence[NDArray[np.uint8] | None]:
        if self._with_planes and path.planes is not None:
            return list(path.planes)
        return [None] * len(path.picture)

    def _coarse(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        h, w = image.shape[:2]
        half = cv2.resize(image, (max(w // 2, 1), max(h // 2, 1)))
        return np.asarray(cv2.resize(self._segmenter.segment(half), network_size(w, h)))

    def _ready_for(self, size: tuple[int, int]) -> _Ready:
        """The size's paths, now the newest; the oldest size goes when there are too many."""
        ready = self._ready.pop(size, None)
        if ready is None and len(self._ready) >= KEPT:
            with self.watch.within(CLOSE_S, "being freed"):
                self._ready.pop(next(iter(self._ready))).device.close()
        with self.watch.within(OPEN_S, "being opened"):
            if ready is None:
                ready = _Ready(self._open_device(), size, self._engines, self.watch)
            self._ready[size] = ready
            ready.device.use()
        return ready

    def close(self) -> None:
        """Free the device; a later step opens it again, and its states are lost."""
        ready, self._ready = list(self._ready.values()), {}
        for one in ready:
            with self.watch.within(CLOSE_S, "being freed"):
                one.device.close()

    def __enter__(self) -> GpuRelighter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _blurs(light: Light) -> bool:
    return light.backdrop is None and light.blur > 0


def _usable(state: GpuState | None, size: tuple[int, int], device: Device) -> GpuState | None:
    return state if state is not None and state.size == size and state.device is device else None


def _lost(job: Job, relit: NDArray[np.uint8], matte: NDArray[np.float32], stops: float | None) -> float | None:
    """Stops of brightness that the light took from a person who was brightened by ``stops``; None: not asked for."""
    light = job.light
    if light.brighten == 0 or light.intensity < FAINTEST:
        return None
    size = (matte.shape[1] // 4, matte.shape[0] // 4)
    picture, mixed, person = (cv2.resize(x, size) for x in (job.frame.image, relit, matte))
    before = luma_of(picture)
    fully = before + (luma_of(mixed) - before) * np.float32(1 / light.intensity)
    undone = np.float32(2.0 ** (-light.brighten * (stops or 0.0) / GAMMA))
    inside = np.asarray(person) > 0.5
    return lost_stops(before[inside], fully[inside] * undone, light.exposure_stops)
