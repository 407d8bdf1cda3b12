"""The part of the TensorRT Python interface that LiveLight calls; its engines are ONNX files run by ONNX Runtime."""

from __future__ import annotations

import ctypes
import enum
import types
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from tests.trt_engines.fake_device import FakeDevice

MARK = b"FAKE ENGINE"


class ILogger:
    INTERNAL_ERROR, ERROR, WARNING = "internal", "error", "warning"


class IProgressMonitor:
    pass


class Attributes:
    """Takes any attribute."""


class TensorIOMode(enum.Enum):
    INPUT = 0
    OUTPUT = 1


class ComputeCapability(enum.Enum):
    CURRENT = 1
    SM75 = 75
    SM89 = 89


class Graph:
    """A parsed ONNX file."""

    def __init__(self) -> None:
        self.model: onnx.ModelProto | None = None

    def _inputs(self) -> list[Any]:
        assert self.model is not None
        return list(self.model.graph.input)

    @property
    def num_inputs(self) -> int:
        return len(self._inputs())

    def get_input(self, i: int) -> Any:
        value = self._inputs()[i]
        shape = [d.dim_value or -1 for d in value.type.tensor_type.shape.dim]
        return types.SimpleNamespace(name=value.name, shape=shape)


class OnnxParser:
    def __init__(self, network: Graph, logger: Any) -> None:
        self.network, self.num_errors = network, 0

    def parse(self, content: bytes) -> bool:
        self.network.model = onnx.load_from_string(content)
        return True

    def get_error(self, i: int) -> Any:
        raise AssertionError(i)


class Config(Attributes):
    def add_optimization_profile(self, profile: Any) -> None:
        self.profile = profile

    def set_compute_capability(self, capability: Any, index: int) -> None:
        self.capability = capability


class Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, Any] = {}

    def set_shape(self, name: str, *shapes: tuple[int, ...]) -> None:
        self.shapes[name] = shapes


class Builder:
    builds = 0
    refuse = False

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def create_network(self) -> Graph:
        return Graph()

    def create_builder_config(self) -> Config:
        return Config()

    def create_optimization_profile(self) -> Profile:
        return Profile()

    def build_serialized_network(self, network: Graph, config: Config) -> bytes | None:
        if Builder.refuse:
            self._logger.log(ILogger.ERROR, "this GPU is not supported")
            return None
        Builder.builds += 1
        assert network.model is not None
        config.progress_monitor.phase_start("Building", None, 1)
        config.progress_monitor.step_complete("Building", 0)
        config.progress_monitor.phase_finish("Building")
        return MARK + network.model.SerializeToString()


class Context:
    """Reads and writes the addresses it was given, when its device runs the work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._at: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._shapes[name] = shape
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._at[name] = address
        return address % 256 == 0

    def is_stream_capturable(self, stream: int) -> bool:
        return True

    def execute_async_v3(self, stream: int) -> bool:
        at, session = dict(self._at), self._engine.session

        def work() -> None:
            feeds = {}
            for i in session.get_inputs():
                dtype = np.uint8 if "uint8" in i.type else np.float32
                feeds[i.name] = _memory(at[i.name], self._shapes[i.name], dtype).copy()
            for o, result in zip(session.get_outputs(), session.run(None, feeds), strict=True):
                _memory(at[o.name], result.shape, result.dtype)[...] = result * self._engine.spoil

        FakeDevice.by_stream[stream].submit(work)
        return True


def _memory(address: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_uint8 * size).from_address(address), dtype).reshape(shape)


class Cache:
    def deserialize(self, content: bytes) -> None:
        assert content == b"kernels"

    def serialize(self) -> bytes:
        return b"kernels"


class RuntimeConfig(Attributes):
    def create_runtime_cache(self) -> Cache:
        return Cache()

    def set_runtime_cache(self, cache: Cache) -> None:
        self.cache = cache


class Engine:
    spoil: Any = 1
    """Every result is multiplied by this."""

    def __init__(self, content: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._all = [(TensorIOMode.INPUT, i) for i in self.session.get_inputs()]
        self._all += [(TensorIOMode.OUTPUT, o) for o in self.session.get_outputs()]
        self._by_name = {value.name: (mode, value) for mode, value in self._all}
        self.num_io_tensors = len(self._all)

    def create_runtime_config(self) -> RuntimeConfig:
        return RuntimeConfig()

    def create_execution_context(self, config: RuntimeConfig) -> Context:
        return Context(self)

    def get_tensor_name(self, i: int) -> str:
        return str(self._all[i][1].name)

    def get_tensor_shape(self, name: str) -> list[int]:
        return [d if isinstance(d, int) else -1 for d in self._by_name[name][1].shape]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return self._by_name[name][0]

    def get_tensor_dtype(self, name: str) -> str:
        return str(self._by_name[name][1].type)


class Runtime:
    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def deserialize_cuda_engine(self, content: bytes) -> Engine | None:
        if not content.startswith(MARK):
            self._logger.log(ILogger.ERROR, "the engine plan file is not\n  compatible with this version")
            return None
        return Engine(content[len(MARK) :])


def nptype(kind: str) -> type:
    return np.uint8 if "uint8" in kind else np.float32


def module(version: str = "1.7.fake") -> types.ModuleType:
    """To stand in sys.modules under the flavour's name."""
    made = types.ModuleType("tensorrt_rtx")
    names = (ILogger, IProgressMonitor, TensorIOMode, ComputeCapability, OnnxParser, Builder, Runtime, nptype)
    for thing in names:
        setattr(made, thing.__name__, thing)
    made.__version__ = version  # type: ignore[attr-defined]
    made.CudaGraphStrategy = types.SimpleNamespace(DISABLED=0)  # type: ignore[attr-defined]
    made.DynamicShapesKernelSpecializationStrategy = types.SimpleNamespace(EAGER=1)  # type: ignore[attr-defined]
    return made
