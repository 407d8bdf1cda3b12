"""The relighter whose whole path after the person segmenter is one engine on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

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


class EngineSource(Protocol):
    """Where engines come from."""

    flavour: str
    """tensorrt or tensorrt-rtx."""

    def engine(self, width: int, height: int, blur: bool) -> Path:
        """The verified engine file for frames of a size; may build it first. Raises LiveLightError."""
        ...


@dataclass(frozen=True, slots=True)
class GpuState:
    """What is remembered of one stream: states on ``device``, of frames of ``size`` (width, height)."""

    states: DeviceState
    size: tuple[int, int]
    device: Device


class GpuRelighter:
    """livelight.relight.Relighter on a GPU: the same ``step``, the state kept there. One thread at a time.

    A step crosses to the device once and back once. The first frame of a size waits for its engine. Holds the paths of
    one frame size: another size frees them. Raises RuntimeFailure when the device or the engine fails; then it is of
    no more use.

    watch: says what it waits for, to whoever will not wait for a GPU that hangs.
    """

    def __init__(
        self,
        open_device: Callable[[], Device],
        engines: EngineSource,
        segmenter: Segmenter,
        watch: Watch | None = None,
    ) -> None:
        self.watch = watch or Watch()
        self._open_device = open_device
        self._engines = engines
        self._segmenter = segmenter
        self._device: Device | None = None
        self._paths: dict[bool, LivePath] = {}
        self._backdrops: dict[bool, NDArray[np.uint8] | None] = {}
        self._size = (0, 0)
        self.timings_ms: dict[str, float] = {}

    @property
    def runtime_name(self) -> str:
        return self._engines.flavour

    @property
    def level_names(self) -> tuple[str, ...]:
        """One: its engines are built for one size of the network."""
        return (LEVELS[0].name,)

    def set_level(self, level: int) -> None:
        """Nothing to choose."""

    def step(self, frame: Frame, light: Light, state: GpuState | None = None) -> tuple[Frame, GpuState]:
        """As Relighter.step; the new frame owns its picture."""
        size = (frame.width, frame.height)
        started = time.perf_counter()
        coarse = self._coarse(frame.image)
        matted = time.perf_counter()
        blur = light.backdrop is None and light.blur > 0
        path = self._path(size, blur)
        device = self._device
        assert device is not None
        usable = state is not None and state.size == size and state.device is device
        before = state.states if usable and state is not None else None
        inputs = path.inputs
        inputs["frame"][0] = frame.image
        inputs["coarse"][0] = coarse
        inputs["light"][0] = light.code
        inputs["knobs"][0] = knobs(light, frame.height, before is None)
        new_backdrop = light.backdrop is not None and light.backdrop is not self._backdrops.get(blur)
        if new_backdrop:
            inputs["backdrop"][0] = light.backdrop
            self._backdrops[blur] = light.backdrop
        with self.watch.within(STEP_S, "a frame"):
            after = path.step(before, new_backdrop)
        image: NDArray[np.uint8] = path.picture[0].copy()
        self.timings_ms = {"matte": (matted - started) * 1e3, "gpu": (time.perf_counter() - matted) * 1e3}
        return frame.with_image(image), GpuState(after, size, device)

    def _coarse(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        h, w = image.shape[:2]
        half = cv2.resize(image, (max(w // 2, 1), max(h // 2, 1)))
        return np.asarray(cv2.resize(self._segmenter.segment(half), network_size(w, h)))

    def _path(self, size: tuple[int, int], blur: bool) -> LivePath:
        if size != self._size:
            self.close()
            self._size = size
        with self.watch.within(OPEN_S, "being opened"):
            if self._device is None:
                self._device = self._open_device()
            self._device.use()
        path = self._paths.get(blur)
        if path is None:
            file = self._engines.engine(*size, blur)
            with self.watch.within(START_S, "loading its engine"):
                path = self._paths[blur] = self._loaded(self._device, file, size)
        return path

    def _loaded(self, device: Device, file: Path, size: tuple[int, int]) -> LivePath:
        engine = TensorRtEngine(file, self._engines.flavour, device)
        expected, got = (1, size[1], size[0], 3), engine.tensors["frame"].shape if "frame" in engine.tensors else ()
        if got != expected:
            raise RuntimeFailure(f"the engine {file} is for other frames: expected {expected}, got {got}")
        return LivePath(device, engine)

    def close(self) -> None:
        """Free the device; a later step opens it again, and its states are lost."""
        device, self._device = self._device, None
        self._paths, self._backdrops, self._size = {}, {}, (0, 0)
        if device is not None:
            with self.watch.within(CLOSE_S, "being freed"):
                device.close()

    def __enter__(self) -> GpuRelighter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
