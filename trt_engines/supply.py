"""Where the relighter's engines come from: the store, or, the first time, a build that says what it does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from livelight.errors import RuntimeFailure
from livelight.runtimes.device import Device
from livelight.runtimes.live_path import LivePath
from livelight.runtimes.tensorrt_runtime import TensorRtEngine
from livelight.watch import Watch
from trt_engines.build import Progress, build_engine, silent, version_of
from trt_engines.spec import EIGHT_BITS, Card, EngineSpec, Flavour, GraphSpec, Precision, hash_of, ranges_path
from trt_engines.store import Store

if TYPE_CHECKING:  # verification needs torch, which a machine with ready engines need not have
    from trt_engines.verify import Verification

log = logging.getLogger(__name__)

MAKE_RANGES = "expected ranges for 8 bits: make them with python -m training.calibrate --model MODEL, or take fp16"

TRY_S = 120.0
"""How long a GPU may take to load a new engine and play the frames of its verification."""


@dataclass(frozen=True)
class Wanted:
    """What the user asked for, whatever the frame: weights (.onnx of a relighter), flavour, precision, streams."""

    weights: Path
    flavour: Flavour
    precision: Precision = "fp16"
    max_streams: int = 4


class EngineSupply:
    """livelight.gpu_relighter.EngineSource over a store. open_device: where new engines are verified.

    say: is told in whole sentences what takes time. Nothing is built twice by two processes at once. watch: says when a
    new engine is tried on the GPU; builds are not watched, since they may take minutes.
    """

    def __init__(
        self,
        wanted: Wanted,
        store: Store,
        open_device: Callable[[], Device],
        say: Callable[[str], None] = log.info,
        progress: Progress = silent,
        watch: Watch | None = None,
    ) -> None:
        self._wanted, self._store = wanted, store
        self._open_device = open_device
        self._say, self._progress = say, progress
        self._watch = watch or Watch()
        self._card: Card | None = None
        self._weights_hash = hash_of(wanted.weights)
        if wanted.precision in EIGHT_BITS:
            self._weights_hash += f"+{hash_of(ranges_path(wanted.weights), MAKE_RANGES)}"
        self._version = version_of(wanted.flavour)
        self.flavour: str = wanted.flavour
        self.max_streams = wanted.max_streams

    def spec(self, width: int, height: int, blur: bool, card: Card) -> EngineSpec:
        """What an engine for such frames is made for on a card."""
        wanted = self._wanted
        graph = GraphSpec(width, height, wanted.precision, blur, wanted.max_streams)
        return EngineSpec(graph, self._weights_hash, wanted.flavour, self._version, card)

    def engine(self, width: int, height: int, blur: bool) -> Path:
        """The engine file; built and verified first if need be. Raises LiveLightError."""
        if self._card is None:
            with self._watch.within(TRY_S, "being asked its name"):
                device = self._open_device()
                self._card = Card(device.name, device.capability)
                device.close()
        spec = self.spec(width, height, blur, self._card)
        if self._found(spec) and self._store.is_verified(spec):
            return self._store.path(spec)
        with self._store.lock(spec, lambda: self._say("Another LiveLight builds this engine; waiting for it.")):
            path = self.built(spec)
            if not self._store.is_verified(spec):
                self.verified(spec)
        return path

    def _found(self, spec: EngineSpec) -> bool:
        try:
            return self._store.find(spec) is not None
        except RuntimeFailure as exc:
            self._say(f"Building again, since {exc}.")
            return False

    def built(self, spec: EngineSpec) -> Path:
        """The engine file of ``spec``, from the store or built now; not verified. The caller holds the lock."""
        if self._found(spec):
            return self._store.path(spec)
        from trt_engines.export import export

        graph = spec.graph
        what = f"{spec.flavour} engine for {graph.width}x{graph.height}{', blurred room' if graph.blur else ''}"
        self._say(f"Building the {what}, {graph.precision}, for {spec.card.name}; once, it is kept.")
        started_s = time.monotonic()
        model = export(self._wanted.weights, graph, spec.card.capability)
        engine = build_engine(model, spec, self._progress)
        build_s = time.monotonic() - started_s
        path = self._store.put(spec, engine, build_s)
        self._say(f"Built in {build_s:.1f} s: {len(engine) / 1e6:.1f} MB in {self._store.folder}.")
        return path

    def verified(self, spec: EngineSpec) -> Verification:
        """Play the built engine against the float32 reference; raises RuntimeFailure if it must not be used."""
        from livelight.runtimes.torch_runtime import read_network
        from trt_engines.export import live_graph
        from trt_engines.verify import FRAMES, engine_pictures, scene, verified

        self._say(f"Verifying the engine on {FRAMES} frames against the float32 reference on the CPU.")
        truth = live_graph(read_network(self._wanted.weights), replace(spec.graph, precision="fp32"))
        moments = scene(*truth.size[::-1], truth.blur, FRAMES)
        with self._watch.within(TRY_S, "trying its engine"):
            device = self._open_device()
            try:
                path = LivePath(device, TensorRtEngine(self._store.path(spec), spec.flavour, device))
                played = engine_pictures(path, moments)
            finally:
                device.close()
        result = verified(played, truth, moments)
        self._store.set_verified(spec, result.numbers())
        self._say(f"Verified: {result.psnr_db:.1f} dB in the worst frame, {result.max_levels:.0f} levels at most.")
        return result
