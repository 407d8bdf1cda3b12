"""Milliseconds per frame of the GPU path on this card, next to torch and next to moving the bytes alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livelight.runtimes.device import Device
from livelight.runtimes.live_path import LivePath
from livelight.runtimes.tensorrt_runtime import TensorRtEngine
from trt_engines.spec import GraphSpec
from trt_engines.verify import Moment, scene

WARM_UP = 50


@dataclass(frozen=True)
class Times:
    """Percentiles of milliseconds per frame, and frames measured."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    frames: int

    @classmethod
    def of(cls, samples_ms: list[float]) -> Times:
        p50, p95, p99 = (round(float(p), 4) for p in np.percentile(samples_ms, (50, 95, 99)))
        return cls(p50, p95, p99, len(samples_ms))


def on_host(work: Callable[[], object], frames: int) -> Times:
    """Wall-clock time of ``work``, which must wait for its own end."""
    samples = []
    for k in range(WARM_UP + frames):
        started = time.perf_counter()
        work()
        if k >= WARM_UP:
            samples.append((time.perf_counter() - started) * 1e3)
    return Times.of(samples)


def on_device(device: Device, work: Callable[[], object], frames: int) -> Times:
    """Time between two marks on the device around ``work``."""
    samples = []
    for k in range(WARM_UP + frames):
        start = device.mark()
        work()
        end = device.mark()
        device.synchronise()
        elapsed = device.elapsed_ms(start, end)
        if k >= WARM_UP:
            samples.append(elapsed)
    return Times.of(samples)


def bench_engine(device: Device, file: Path, flavour: str, graph: GraphSpec, frames: int) -> dict[str, Times]:
    """An engine alone and end to end (host picture to host picture, without the person segmenter), for one stream."""
    moments = scene(graph.width, graph.height, graph.blur, 8)
    results = {}
    for name, use_graph in (("CUDA graph", True), ("no CUDA graph", False)):
        path = LivePath(device, TensorRtEngine(file, flavour, device), use_graph)
        results[f"engine alone, {name}"] = on_device(device, path.run, frames)
        results[f"end to end, {name}"] = on_host(_steps(path, moments), frames)
    results["bytes alone, device clock"] = on_device(device, path.move_bytes, frames)

    def cross() -> None:
        path.move_bytes()
        device.synchronise()

    results["bytes alone, wall clock"] = on_host(cross, frames)
    return results


def _steps(path: LivePath, moments: list[Moment]) -> Callable[[], object]:
    """A step with the next moment's picture and the state of the step before."""
    from livelight.runtimes.live_inputs import knobs

    last: list[Any] = [None, 0, None]

    def step() -> None:
        moment = moments[last[1] % len(moments)]
        path.inputs["frame"][0], path.inputs["coarse"][0] = moment.image, moment.coarse
        path.inputs["light"][0] = moment.light.code
        path.inputs["knobs"][0] = knobs(moment.light, moment.image.shape[0], last[2])
        last[0] = path.step(last[0], backdrop=False)
        path.picture[0].copy()
        last[1:] = last[1] + 1, moment.light.code

    return step


def bench_torch(weights: Path, graph: GraphSpec, frames: int) -> dict[str, Times | str]:
    """The same graph in torch, eager and compiled, inputs already on the GPU; a sentence where torch sees no GPU."""
    import torch

    from livelight.runtimes.torch_runtime import read_network
    from trt_engines.export import live_graph

    if not torch.cuda.is_available():
        return {"torch": f"not measured: torch {torch.__version__} sees no CUDA device"}
    module = live_graph(read_network(weights), graph).cuda()
    inputs = [x.cuda() for x in module.example(1)]
    results: dict[str, Times | str] = {}
    for name, call in (("torch eager", module), ("torch.compile", torch.compile(module, mode="max-autotune"))):

        def step(call: Any = call) -> None:
            with torch.inference_mode():
                call(*inputs)
            torch.cuda.synchronize()

        try:
            results[name] = on_host(step, frames)
        except RuntimeError as exc:  # torch.compile may lack a compiler here; the other figures still stand
            results[name] = f"failed: {' '.join(str(exc).split())[:200]}"
    return results


def as_numbers(results: dict[str, Times | str]) -> dict[str, Any]:
    """For JSON."""
    return {name: asdict(r) if isinstance(r, Times) else r for name, r in results.items()}
