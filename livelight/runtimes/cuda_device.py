"""An NVIDIA GPU through the CUDA runtime (package cuda-bindings: no toolkit, no torch). Never yet run on a GPU."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from livelight.errors import MissingExtra, RuntimeFailure
from livelight.runtimes.device import BYTES

OLDEST_DRIVER = 13000
"""CUDA version (1000 major + 10 minor) that the driver must support: the one the TensorRT wheels are built for."""

WITHOUT = "do without: livelight relight, run and serve use the CPU with --runtime auto"
"""The way out where there is no GPU; not every command that needs one has the option."""


def _load() -> Any:
    try:
        return importlib.import_module("cuda.bindings.runtime")
    except ImportError as exc:
        raise MissingExtra("cuda-bindings", "tensorrt-rtx", "An NVIDIA GPU") from exc


def checked(cuda: Any, result: tuple[Any, ...], doing: str) -> Any:
    """The value of a CUDA call, or RuntimeFailure in one sentence."""
    error, *values = result
    code = cuda.cudaError_t
    if error == code.cudaSuccess:
        return values[0] if len(values) == 1 else values
    if error in (code.cudaErrorInsufficientDriver, code.cudaErrorNoDevice):
        raise RuntimeFailure(driver_sentence(cuda))
    if error == code.cudaErrorMemoryAllocation:
        raise RuntimeFailure(
            f"the GPU has not enough free memory for {doing}; close other programs that use it, or take a smaller frame"
        )
    text = cuda.cudaGetErrorString(error)[1]
    raise RuntimeFailure(f"the GPU failed in {doing} ({text.decode() if text else error})")


def driver_sentence(cuda: Any) -> str:
    """Why there is no usable GPU: no driver, too old a driver, or no card."""
    version = int(cuda.cudaDriverGetVersion()[1] or 0)
    if version == 0:
        return f"no NVIDIA driver is installed here; install one, or {WITHOUT}"
    if version < OLDEST_DRIVER:
        return (
            f"the NVIDIA driver is too old: it supports CUDA {version // 1000}.{version % 1000 // 10}, expected "
            f"{OLDEST_DRIVER // 1000}.{OLDEST_DRIVER % 1000 // 10} or newer; update the driver"
        )
    return f"no NVIDIA GPU is visible here; check nvidia-smi and CUDA_VISIBLE_DEVICES, or {WITHOUT}"


class CudaDevice:
    """Device number ``index`` in the driver's order. Raises RuntimeFailure without driver or card, MissingExtra."""

    def __init__(self, index: int = 0) -> None:
        self._cuda = cuda = _load()
        self._streams: list[Any] = []
        self._memory: set[int] = set()
        self._pinned: list[int] = []
        self._objects: dict[int, Any] = {}
        self._next = 1
        count = int(self._do(cuda.cudaGetDeviceCount(), "counting the GPUs"))
        if int(cuda.cudaDriverGetVersion()[1] or 0) < OLDEST_DRIVER:
            raise RuntimeFailure(driver_sentence(cuda))
        if not 0 <= index < count:
            raise RuntimeFailure(f"there is no GPU number {index}; expected 0 to {count - 1}")
        self._index = index
        self.use()
        about = self._do(cuda.cudaGetDeviceProperties(index), "asking the GPU's name")
        self.name = about.name.decode() if isinstance(about.name, bytes) else str(about.name)
        self.capability = (int(about.major), int(about.minor))
        stream = self._do(cuda.cudaStreamCreateWithFlags(cuda.cudaStreamNonBlocking), "making a stream")
        self._streams.append(stream)
        self.stream = int(stream)

    def _do(self, result: tuple[Any, ...], doing: str) -> Any:
        return checked(self._cuda, result, doing)

    def use(self) -> None:
        self._do(self._cuda.cudaSetDevice(self._index), "choosing the GPU")

    def allocate(self, size: int) -> int:
        address = int(self._do(self._cuda.cudaMalloc(size), f"{size / 1e6:.0f} MB of pictures"))
        self._memory.add(address)
        return address

    def free(self, address: int) -> None:
        self._memory.discard(address)
        self._do(self._cuda.cudaFree(address), "freeing memory")

    def pinned(self, size: int) -> BYTES:
        address = int(self._do(self._cuda.cudaHostAlloc(size, 0), f"{size / 1e6:.0f} MB of pinned memory"))
        self._pinned.append(address)
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def _copy(self, to: int, origin: int, size: int, kind: Any, doing: str) -> None:
        self._do(self._cuda.cudaMemcpyAsync(to, origin, size, kind, self._streams[0]), doing)

    def upload(self, host: BYTES, address: int) -> None:
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._copy(address, host.ctypes.data, host.nbytes, kind, "the upload")

    def download(self, address: int, host: BYTES) -> None:
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._copy(host.ctypes.data, address, host.nbytes, kind, "the download")

    def copy(self, origin: int, to: int, size: int) -> None:
        self._copy(to, origin, size, self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice, "keeping the state")

    def _keep(self, thing: Any) -> int:
        self._next += 1
        self._objects[self._next] = thing
        return self._next

    def capture(self, work: Callable[[], None]) -> int:
        cuda, stream = self._cuda, self._streams[0]
        mode = cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._do(cuda.cudaStreamBeginCapture(stream, mode), "capturing a graph")
        try:
            work()
        except BaseException:
            cuda.cudaStreamEndCapture(stream)  # leave the stream usable
            raise
        graph = self._do(cuda.cudaStreamEndCapture(stream), "capturing a graph")
        try:
            return self._keep(self._do(cuda.cudaGraphInstantiate(graph, 0), "preparing a graph"))
        finally:
            cuda.cudaGraphDestroy(graph)

    def launch(self, graph: int) -> None:
        self._do(self._cuda.cudaGraphLaunch(self._objects[graph], self._streams[0]), "launching the graph")

    def release(self, graph: int) -> None:
        self._do(self._cuda.cudaGraphExecDestroy(self._objects.pop(graph)), "releasing a graph")

    def mark(self) -> int:
        event = self._do(self._cuda.cudaEventCreate(), "making a mark")
        self._do(self._cuda.cudaEventRecord(event, self._streams[0]), "setting a mark")
        return self._keep(event)

    def elapsed_ms(self, start: int, end: int) -> float:
        first, last = self._objects.pop(start), self._objects.pop(end)
        elapsed = self._do(self._cuda.cudaEventElapsedTime(first, last), "measuring")
        for event in (first, last):
            self._do(self._cuda.cudaEventDestroy(event), "measuring")
        return float(elapsed)

    def synchronise(self) -> None:
        self._do(self._cuda.cudaStreamSynchronize(self._streams[0]), "waiting for the picture")

    def close(self) -> None:
        with contextlib.suppress(RuntimeFailure):
            for address in list(self._memory):
                self.free(address)
            for address in self._pinned:
                self._do(self._cuda.cudaFreeHost(address), "freeing pinned memory")
            for stream in self._streams:
                self._do(self._cuda.cudaStreamDestroy(stream), "closing the stream")
        self._pinned, self._streams = [], []


def open_cuda(index: int = 0) -> CudaDevice:
    return CudaDevice(index)
