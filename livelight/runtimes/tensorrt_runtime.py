"""TensorRT, both flavours: loads an engine file and puts its work on a device's stream. It never builds.

``tensorrt`` (11) is for data-centre and workstation cards, ``tensorrt-rtx`` for GeForce RTX and RTX PRO; their Python
interfaces are the same but for the RTX flavour's just-in-time cache. Never yet run on a GPU: see docs/tensorrt.md.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livelight.errors import MissingExtra, RuntimeFailure
from livelight.runtimes.device import Device
from livelight.runtimes.engine_file import AGAIN, read_engine

log = logging.getLogger(__name__)

MODULES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
"""Flavour -> Python module; the flavour is also the name of the extra."""


def load_flavour(flavour: str) -> Any:
    """The flavour's Python module. Raises MissingExtra, or RuntimeFailure if its libraries do not load."""
    try:
        return importlib.import_module(MODULES[flavour])
    except ImportError as exc:
        raise MissingExtra(flavour, flavour, "A TensorRT engine") from exc
    except OSError as exc:
        raise RuntimeFailure(f"{flavour} is installed, but its libraries do not load ({exc})") from exc


def make_logger(trt: Any) -> Any:
    """A TensorRT logger that writes into Python's log and keeps the last error in ``last``."""

    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.last = ""

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self.last = " ".join(message.split())[:300]
                log.info("TensorRT: %s", message)
            elif severity == trt.ILogger.WARNING:
                log.debug("TensorRT: %s", message)

    return Log()


@dataclass(frozen=True)
class Tensor:
    """An input or output of an engine; shape holds the number of streams first."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_input: bool

    @property
    def size(self) -> int:
        """Bytes."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


class TensorRtEngine:
    """One engine for ``streams`` streams on a device. Its thread is the device's.

    jit_cache: file in which the RTX flavour keeps the kernels it compiles on first use. Raises RuntimeFailure for a
    file that is no engine, or one that this TensorRT refuses (another version, another card); MissingExtra.
    """

    def __init__(self, path: Path, flavour: str, device: Device, streams: int = 1) -> None:
        content = read_engine(path).engine
        self._trt = trt = load_flavour(flavour)
        self._flavour, self._device = flavour, device
        self._jit_cache = path.with_suffix(".jit")
        self._logger = make_logger(trt)
        self._runtime = trt.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(content)
        if self._engine is None:
            raise RuntimeFailure(f"{flavour} {trt.__version__} refuses {path} ({self._logger.last}); {AGAIN}")
        self._context = self._make_context()
        self.tensors = {t.name: t for t in self._tensors(streams)}
        for tensor in self.tensors.values():
            if tensor.is_input and not self._context.set_input_shape(tensor.name, tensor.shape):
                raise RuntimeFailure(
                    f"{path} does not take {streams} streams ({self._logger.last}); it was built for fewer"
                )

    def _make_context(self) -> Any:
        config = self._engine.create_runtime_config()
        if self._flavour == "tensorrt-rtx":
            trt = self._trt
            # We capture the graph ourselves, so its kernels must be final when they are first enqueued.
            config.cuda_graph_strategy = trt.CudaGraphStrategy.DISABLED
            config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
            self._cache = config.create_runtime_cache()
            with contextlib.suppress(OSError):  # no cache yet: the first start compiles
                self._cache.deserialize(self._jit_cache.read_bytes())
            config.set_runtime_cache(self._cache)
        context = self._engine.create_execution_context(config)
        if context is None:
            raise RuntimeFailure(
                f"{self._flavour} cannot start the engine on {self._device.name} ({self._logger.last}); if memory is "
                "short, close other programs that use the GPU"
            )
        return context

    def _tensors(self, streams: int) -> list[Tensor]:
        trt, engine = self._trt, self._engine
        found = []
        for name in (engine.get_tensor_name(i) for i in range(engine.num_io_tensors)):
            first, *rest = (int(d) for d in engine.get_tensor_shape(name))
            if min(rest, default=0) < 0:
                raise RuntimeFailure(f"the engine leaves the size of {name} open: expected only its first, got {rest}")
            shape = (streams if first < 0 else first, *rest)
            is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            found.append(Tensor(name, shape, np.dtype(trt.nptype(engine.get_tensor_dtype(name))), is_input))
        return found

    def bind(self, addresses: dict[str, int]) -> None:
        """Say where every tensor lies on the device; a graph captured before is of no more use."""
        for name, address in addresses.items():
            if not self._context.set_tensor_address(name, address):
                raise RuntimeFailure(f"{self._flavour} refuses the address of {name} ({self._logger.last})")

    @property
    def capturable(self) -> bool:
        """Whether ``enqueue`` may stand in a captured graph."""
        if self._flavour != "tensorrt-rtx":
            return True
        return bool(self._context.is_stream_capturable(self._device.stream))

    def enqueue(self) -> None:
        """Put one step on the device's stream. Raises RuntimeFailure."""
        if not self._context.execute_async_v3(self._device.stream):
            raise RuntimeFailure(f"{self._flavour} failed in the network ({self._logger.last})")

    def keep_kernels(self) -> None:
        """Write the just-in-time cache, so that the next start is fast; a place that cannot be written is no error."""
        if self._flavour != "tensorrt-rtx":
            return
        new = self._jit_cache.with_suffix(".jit.new")
        try:
            new.write_bytes(bytes(self._cache.serialize()))
            new.replace(self._jit_cache)
        except OSError as exc:
            log.info("the kernels of %s are not kept (%s)", self._jit_cache, exc)
