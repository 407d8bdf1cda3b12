"""``livelight engine``: build, list, verify, measure and remove TensorRT engines; and the relighter on a GPU."""

from __future__ import annotations

import json
import logging
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from pydantic import BaseModel, ConfigDict, Field

from livelight.config import RelightSettings
from livelight.errors import LiveLightError, SettingsError
from pipelines.figures_file import check_figures_file
from pipelines.options import with_settings

if TYPE_CHECKING:
    from livelight.session import OpenRelighter
    from livelight.watch import Watch
    from trt_engines.spec import Card, EngineSpec
    from trt_engines.supply import EngineSupply

log = logging.getLogger(__name__)

app = typer.Typer(help="TensorRT engines for NVIDIA GPUs.", no_args_is_help=True, rich_markup_mode=None)

Profiles = Annotated[
    list[str] | None,
    typer.Argument(metavar="PROFILE", help="512, 720p, 1080p, 4k, portrait or WIDTHxHEIGHT.", show_default=False),
]


class EngineSettings(BaseModel):
    """Which engines a command of ``livelight engine`` means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gpu: int = Field(0, ge=0, description="Number of the GPU, in the driver's order.")
    flavour: Literal["auto", "tensorrt", "tensorrt-rtx"] = Field(
        "auto", description="Flavour of TensorRT; auto takes the installed one that fits the card."
    )
    precision: Literal["fp32", "fp16", "bf16", "int8", "fp8"] = Field(
        "fp16", description="Arithmetic of the convolutions; int8 and fp8: of those that bear it."
    )
    model: str = Field("live", description="Relighter: live, or a path to an .onnx relighter.")

    def supply(self) -> EngineSupply:
        """Where they come from. Raises LiveLightError without a GPU."""
        return supply_for(self.flavour, self.gpu, self.precision, self.model)


def say(sentence: str) -> None:
    """Tell the user what takes time."""
    print(f"livelight: {sentence}", file=sys.stderr, flush=True)


class PhaseLines:
    """Build progress as plain lines on stderr, at most one a second (trt_engines.build.Progress)."""

    def __init__(self) -> None:
        self._said_s = time.monotonic()

    def __call__(self, phase: str, done: int, total: int) -> None:
        if time.monotonic() - self._said_s >= 1:
            self._said_s = time.monotonic()
            say(f"  {phase}: {done} of {total}")


def flavour_for(card: Card) -> str:
    """The installed flavour that fits a card: RTX for cards called so, else the other. Raises the last MissingExtra."""
    from livelight.runtimes.tensorrt_runtime import load_flavour

    order = ("tensorrt-rtx", "tensorrt") if "RTX" in card.name else ("tensorrt", "tensorrt-rtx")
    missing: LiveLightError | None = None
    for flavour in order:
        try:
            load_flavour(flavour)
        except LiveLightError as exc:
            missing = missing or exc
        else:
            return flavour
    assert missing is not None
    raise missing


def find_card(gpu: int) -> Card:
    """The GPU with this number. Raises RuntimeFailure with the reason if there is none."""
    from livelight.runtimes.cuda_device import open_cuda
    from trt_engines.spec import Card

    device = open_cuda(gpu)
    try:
        return Card(device.name, device.capability)
    finally:
        device.close()


def supply_for(
    flavour: str,
    gpu: int,
    precision: str,
    model: str,
    tell: Callable[[str], None] = say,
    watch: Watch | None = None,
) -> EngineSupply:
    """Engines of a flavour ("auto": the one that fits) for GPU number ``gpu``, from the user's cache."""
    from livelight.relight import model_path
    from livelight.runtimes.cuda_device import open_cuda
    from trt_engines import spec
    from trt_engines.store import Store
    from trt_engines.supply import EngineSupply, Wanted

    chosen = flavour_for(find_card(gpu)) if flavour == "auto" else flavour
    wanted = Wanted(model_path(model), cast(spec.Flavour, chosen), cast(spec.Precision, precision))
    return EngineSupply(wanted, Store(), lambda: open_cuda(gpu), tell, PhaseLines(), watch)


def open_relighter(
    settings: RelightSettings, notice: Callable[[str], None] = say, planes: bool = False
) -> OpenRelighter:
    """The relighter that the settings ask for, on GPU or CPU; every command takes its relighter from here.

    "auto" takes a GPU where card, driver and TensorRT are there, and goes over to the CPU, with a notice, if it fails.
    planes: whether a GPU is to give Frame.planes beside the image, for who encodes.
    Raises LiveLightError if an explicit choice cannot start.
    """
    from livelight.failover import FailoverRelighter
    from livelight.gpu_relighter import GpuRelighter
    from livelight.relight import build_relighter
    from livelight.runtimes.cuda_device import open_cuda
    from livelight.segmenters import open_segmenter
    from livelight.watch import Watch
    from livelight.watched_relighter import WatchedRelighter

    if settings.runtime not in ("auto", "tensorrt", "tensorrt-rtx"):
        return build_relighter(settings)
    card: Card | None = None
    watch = Watch()
    try:
        card = find_card(settings.gpu)
        segmenter = open_segmenter(settings.segmenter)
        supply = supply_for(settings.runtime, settings.gpu, settings.gpu_precision, settings.model, notice, watch)
    except LiveLightError as exc:
        if settings.runtime != "auto":
            raise
        if card is None:  # most machines: no news
            log.info("TensorRT rejected: %s", exc)
        else:
            notice(f"{card.name} is not used: {exc}.")
        return build_relighter(settings)
    gpu = GpuRelighter(lambda: open_cuda(settings.gpu), supply, segmenter, planes, watch)
    if settings.runtime == "auto":
        return FailoverRelighter(WatchedRelighter(gpu), build_relighter(settings), notice)
    return WatchedRelighter(gpu, "; start again, or take --runtime auto, which goes over to the CPU")


def _specs(supply: EngineSupply, profiles: list[str] | None, gpu: int) -> list[tuple[str, EngineSpec]]:
    from trt_engines.spec import PROFILES, profile_size

    card = find_card(gpu)
    return [
        (f"{name}{', blurred room' if blur else ''}", supply.spec(*profile_size(name), blur, card))
        for name in profiles or list(PROFILES)
        for blur in (False, True)
    ]


@app.command()
@with_settings(EngineSettings)
def build(
    settings: EngineSettings,
    profiles: Profiles = None,
) -> None:
    """Build and verify the engines of the given frame sizes, of all profiles if none is given."""
    supply = settings.supply()
    for _, spec in _specs(supply, profiles, settings.gpu):
        path = supply.engine(spec.graph.width, spec.graph.height, spec.graph.blur)
        print(path)


@app.command("list")
def list_engines() -> None:
    """List the engines in the cache, damaged ones included."""
    from trt_engines.store import Store

    store = Store()
    entries = store.entries()
    for entry in entries:
        if entry.spec is None:
            print(f"damaged  {entry.fault}")
            continue
        graph, spec = entry.spec.graph, entry.spec
        state = "verified" if entry.verified else "not verified"
        room = ", blurred room" if graph.blur else ""
        print(
            f"{spec.key[:8]}  {graph.width}x{graph.height}{room}, {graph.precision}, 1 to {graph.max_streams} streams, "
            f"{spec.flavour} {spec.version}, {spec.card.name}, {entry.size / 1e6:.1f} MB, "
            f"built in {entry.build_s:.1f} s, {state}"
        )
    print(f"{len(entries)} engines in {store.folder}", file=sys.stderr)


@app.command()
@with_settings(EngineSettings)
def verify(
    settings: EngineSettings,
    profiles: Profiles = None,
) -> None:
    """Play 16 frames through the engines and through the float32 reference, and say how far they differ."""
    supply = settings.supply()
    for name, spec in _specs(supply, profiles, settings.gpu):
        supply.built(spec)
        result = supply.verified(spec)
        print(
            f"{name}: worst frame {result.psnr_db:.1f} dB, largest difference {result.max_levels:.0f} levels, mean "
            f"{result.mean_levels:.3f}, state {result.state_rms:.2%}"
        )


@app.command()
@with_settings(EngineSettings)
def bench(
    settings: EngineSettings,
    profiles: Profiles = None,
    frames: Annotated[int, typer.Option(min=10, help="Frames to measure.")] = 2000,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures here, as JSON.")] = None,
) -> None:
    """Measure milliseconds per frame on this card, to be sent in: docs/benchmarks/README.md."""
    if out is not None:
        check_figures_file(out, {}, "--out")
    supply = settings.supply()
    card = find_card(settings.gpu)
    report: dict[str, Any] = {"card": card.name, "capability": list(card.capability), **_surroundings()}
    for name, spec in _specs(supply, profiles or ["512", "720p", "1080p", "4k"], settings.gpu):
        if not spec.graph.blur:
            report[name] = _bench_one(supply, spec, settings, frames)
            print(json.dumps({name: report[name]}, indent=1))
    if out is not None:
        try:
            out.write_text(json.dumps(report, indent=1) + "\n")
        except OSError as exc:
            raise SettingsError(f"{out} cannot be written ({exc.strerror})") from exc


def _bench_one(supply: EngineSupply, spec: EngineSpec, settings: EngineSettings, frames: int) -> dict[str, Any]:
    """Figures of one engine; torch after TensorRT, so that neither holds the other's memory."""
    from livelight.relight import model_path
    from livelight.runtimes.cuda_device import open_cuda
    from trt_engines.bench import as_numbers, bench_engine, bench_torch

    file = supply.engine(spec.graph.width, spec.graph.height, spec.graph.blur)
    device = open_cuda(settings.gpu)
    try:
        results: dict[str, Any] = dict(bench_engine(device, file, spec.flavour, spec.graph, frames))
    finally:
        device.close()
    verification = json.loads(file.with_suffix(".verified").read_text())
    numbers = as_numbers(results | bench_torch(model_path(settings.model), spec.graph, frames))
    return {"spec": json.loads(spec.text()), "verification": verification, **numbers}


def _surroundings() -> dict[str, str]:
    from livelight import __version__
    from pipelines.bench import cpu_name

    return {
        "livelight": __version__,
        "system": f"{platform.system()} {platform.release()}",
        "cpu": cpu_name(),
        "measured": time.strftime("%Y-%m-%d"),
    }


@app.command()
def clear() -> None:
    """Remove all engines from the cache."""
    from trt_engines.store import Store

    store = Store()
    print(f"{store.clear()} engines removed from {store.folder}")
