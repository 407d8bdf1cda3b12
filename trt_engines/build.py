"""From ONNX to an engine, by either flavour of TensorRT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livelight.errors import RuntimeFailure
from livelight.runtimes.tensorrt_runtime import load_flavour, make_logger
from trt_engines.spec import NEEDS, EngineSpec

Progress = Callable[[str, int, int], None]
"""Told the name of a phase, the steps done, and the steps in all."""


def silent(phase: str, done: int, total: int) -> None:
    """No progress shown."""


def version_of(flavour: str) -> str:
    """The exact version of the installed flavour, part of every key. Raises MissingExtra."""
    return str(load_flavour(flavour).__version__)


def build_engine(onnx: bytes, spec: EngineSpec, progress: Progress = silent) -> bytes:
    """Compile ``onnx`` (trt_engines.export) for the spec's card and streams.

    tensorrt-rtx compiles for a card that need not be here; tensorrt only for the card it runs on. Raises RuntimeFailure
    with TensorRT's own words if it refuses the graph or the card, MissingExtra.
    """
    graph = spec.graph
    needed, what = NEEDS.get(graph.precision, ((0, 0), ""))
    if spec.card.capability < needed:
        raise RuntimeFailure(f"{spec.card.name} has no {what}; expected --precision fp16 or fp32 on this card")
    trt = load_flavour(spec.flavour)
    logger = make_logger(trt)
    try:
        builder = trt.Builder(logger)
    except TypeError as exc:  # what the bindings raise when the C++ side returned nothing
        raise RuntimeFailure(f"{spec.flavour} does not start here ({logger.last or exc})") from exc
    network = builder.create_network()
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(onnx):
        faults = "; ".join(f"{e.node_name()}: {e.desc()}" for e in map(parser.get_error, range(parser.num_errors)))
        raise RuntimeFailure(f"{spec.flavour} {spec.version} does not take the graph ({faults[:400]})")
    config = builder.create_builder_config()
    config.add_optimization_profile(_profile(builder, network, graph.max_streams))
    config.progress_monitor = monitor = _monitor(trt, progress)
    if spec.flavour == "tensorrt-rtx":
        config.num_compute_capabilities = 1
        config.set_compute_capability(_capability(trt, spec.card.capability), 0)
    engine = builder.build_serialized_network(network, config)
    del monitor  # TensorRT asks that it outlives the build
    if engine is None:
        major, minor = spec.card.capability
        raise RuntimeFailure(
            f"{spec.flavour} {spec.version} cannot build for {spec.card.name} ({major}.{minor}): "
            f"{logger.last or 'it gave no reason'}"
        )
    return bytes(engine)


def _profile(builder: Any, network: Any, max_streams: int) -> Any:
    profile = builder.create_optimization_profile()
    for tensor in map(network.get_input, range(network.num_inputs)):
        streams, *rest = tensor.shape
        least, most = (1, max_streams) if streams < 0 else (streams, streams)
        profile.set_shape(tensor.name, (least, *rest), (least, *rest), (most, *rest))
    return profile


def _capability(trt: Any, capability: tuple[int, int]) -> Any:
    """The flavour's name for a capability; one that it does not list is left to TensorRT to take or refuse."""
    known = trt.ComputeCapability.__members__
    return known.get(f"SM{capability[0]}{capability[1]}", trt.ComputeCapability.CURRENT)


def _monitor(trt: Any, progress: Progress) -> Any:
    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            super().__init__()
            self.steps: dict[str, int] = {}

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            self.steps[name] = steps
            if parent is None:
                progress(name, 0, steps)

        def phase_finish(self, name: str) -> None:
            steps = self.steps.pop(name, 1)
            progress(name, steps, steps)

        def step_complete(self, name: str, step: int) -> bool:
            progress(name, step + 1, self.steps.get(name, step + 1))
            return True

    return Monitor()
