"""``livelight bench``: what each stage of the road costs on this machine."""

from __future__ import annotations

import json
import platform
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from rich.table import Table

from livelight import __version__
from livelight.config import RelightSettings
from livelight.errors import InputError, OutputError
from livelight.fit import parse_size
from livelight.frame import Frame
from livelight.light_program import build_lighting
from livelight.lighting import Lighting
from livelight.relight import State, network_size
from livelight.session import OpenRelighter
from livelight.sinks.file import VideoFileSink
from livelight.sources.file import VideoFileSource
from pipelines.demo import CLIP
from pipelines.engine import open_relighter
from pipelines.figures_file import check_figures_file

WARM_UP = 10
HELD = 40
"""Frames that lie in memory, decoded, at the clip's own size."""

BESIDE = ("matte beside",)
"""Stages that run on a thread of their own and add nothing."""


@dataclass(frozen=True)
class Report:
    """One run. Milliseconds per frame of every stage (median, 95th percentile), one after the other but for BESIDE.

    model: the relighter's name or file. level: what the governor calls the trade of quality for speed that was
    measured (livelight.quality). relit_fps: frames per second of all stages but decode and encode; all_fps: with them.
    peak_memory_mb: largest resident size of the process so far, MB (10^6 bytes).
    """

    clip: str
    width: int
    height: int
    frames: int
    network_width: int
    network_height: int
    runtime: str
    level: str
    threads: int
    median_ms: dict[str, float]
    p95_ms: dict[str, float]
    relit_fps: float
    all_fps: float
    peak_memory_mb: float
    machine: str
    version: str
    model: str


def peak_memory_mb() -> float:
    """Largest resident size of this process so far, MB."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def measure(
    clip: Path, size: tuple[int, int] | None, frames: int, relighter: OpenRelighter, lighting: Lighting, threads: int,
    model: str, level: int,
) -> Report:  # fmt: skip
    """Relight ``frames`` frames, the first HELD of ``clip`` over and over, brought to ``size``, on one thread.

    Decoding is measured before and encoding after, on the clip's own pictures: both work on when their call has
    returned, and would slow down what is measured beside them.
    """
    times: defaultdict[str, list[float]] = defaultdict(list)
    state: Any = None
    relighter.set_level(level)
    with closing(_repeated(clip, times["decode"])) as stream:
        held = list(islice(stream, HELD))
    for k in range(-WARM_UP, frames):
        frame = _sized(held[k % HELD], size, k)
        begun = time.perf_counter()
        light = lighting.at(frame.time_s, frame.width, frame.height)
        lit = time.perf_counter()
        _, state = relighter.step(frame, light, state)
        if k >= 0:
            times["light"].append((lit - begun) * 1e3)
            for stage, elapsed_ms in relighter.timings_ms.items():
                times[stage].append(elapsed_ms)
    times["encode"] = encode_ms(held, size)
    seen = state.seen if isinstance(state, State) else network_size(frame.width, frame.height)
    engine = relighter.runtime_name, relighter.level_names[level], threads, model
    return _report(clip, (frame.width, frame.height), seen, times, *engine)


def _sized(frame: Frame, size: tuple[int, int] | None, number: int) -> Frame:
    """A frame brought to a size, as frame ``number`` of a clip."""
    image = frame.image if size in (None, (frame.width, frame.height)) else cv2.resize(frame.image, size)
    return Frame(image, WARM_UP + number, frame.time_base, frame.captured_s)


def encode_ms(frames: list[Frame], size: tuple[int, int] | None) -> list[float]:
    """Milliseconds of each call of the encoder for frames of one clip, brought to ``size``."""
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        sink = VideoFileSink(Path(folder) / "bench.mp4", codec="auto", crf=None, rate=1 / frames[0].time_base)
        try:
            for k, frame in enumerate(frames):
                sized = _sized(frame, size, k)
                started = time.perf_counter()
                sink.write(sized)
                spent.append((time.perf_counter() - started) * 1e3)
        finally:
            sink.abort()
    return spent


def _repeated(clip: Path, decode_ms: list[float]) -> Generator[Frame, None, None]:
    """The frames of a clip over and over; appends the milliseconds that decoding took."""
    count = 0
    while True:
        with closing(VideoFileSource(clip)) as source:
            started, before = time.perf_counter(), count
            for frame in source:
                decode_ms.append((time.perf_counter() - started) * 1e3)
                yield Frame(frame.image, count, 1 / Fraction(source.rate), frame.captured_s)
                count += 1
                started = time.perf_counter()
        if count == before:
            raise InputError(f"{clip} holds no frame; expected a video with at least one")


def _report(
    clip: Path,
    size: tuple[int, int],
    network: tuple[int, int],
    times: dict[str, list[float]],
    runtime: str,
    level: str,
    threads: int,
    model: str,
) -> Report:
    median = {stage: statistics.median(samples) for stage, samples in times.items()}
    p95 = {stage: sorted(samples)[int(0.95 * (len(samples) - 1))] for stage, samples in times.items()}
    relit_ms = sum(ms for stage, ms in median.items() if stage not in ("decode", "encode", *BESIDE))
    return Report(
        clip=clip.name,
        width=size[0],
        height=size[1],
        frames=len(times["light"]),
        network_width=network[0],
        network_height=network[1],
        runtime=runtime,
        level=level,
        threads=threads,
        median_ms={k: round(v, 3) for k, v in median.items()},
        p95_ms={k: round(v, 3) for k, v in p95.items()},
        relit_fps=round(1e3 / relit_ms, 1),
        all_fps=round(1e3 / (relit_ms + median["decode"] + median["encode"]), 1),
        peak_memory_mb=round(peak_memory_mb(), 1),
        machine=f"{platform.system()} {platform.machine()}, {cpu_name()}",
        version=__version__,
        model=model,
    )


def cpu_name() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown CPU"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown CPU")


def show(report: Report, console: Console) -> None:
    """The report as a table."""
    title = f"{report.clip}, {report.width}x{report.height}, {report.frames} frames, {report.model}, "
    title += f"{report.runtime}, {report.level}"
    table = Table(title=title, caption=report.machine)
    for column in ("stage", "median ms", "95 % ms"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage in report.median_ms:
        table.add_row(stage, f"{report.median_ms[stage]:.2f}", f"{report.p95_ms[stage]:.2f}")
    console.print(table)
    console.print(f"{report.relit_fps:.1f} fps without decode and encode, {report.all_fps:.1f} fps with them")
    console.print(f"peak memory {report.peak_memory_mb:.0f} MB")


def show_together(reports: list[Report], console: Console) -> None:
    """A line per run: median milliseconds of what works on the picture, and frames per second."""
    stages = [stage for stage in reports[0].median_ms if stage not in ("light", "decode", *BESIDE)]
    names = list(dict.fromkeys(r.level for r in reports))
    table = Table(title="all runs, median ms", caption=reports[0].machine)
    for column in ("frame", "level", *stages, "fps", "fps, all"):
        table.add_column(column, justify="left" if column == "frame" else "right", no_wrap=column == "frame")
    for r in reports:
        spent = (f"{r.median_ms[stage]:.1f}" for stage in stages)
        level = str(names.index(r.level))
        table.add_row(f"{r.width}x{r.height}", level, *spent, f"{r.relit_fps:.0f}", f"{r.all_fps:.0f}")
    console.print(table)
    console.print("\n".join(f"level {k}: {name}" for k, name in enumerate(names)))


def bench(
    clip: Path | None, size: str | None, frames: int, levels: bool, json_out: Path | None, settings: RelightSettings
) -> None:
    """Run the benchmark and print it as a table; ``json_out`` gets it as JSON, a list if there are several runs.

    size: one or more, with commas. levels: every level that the governor may choose, and not the best alone. Raises
    OutputError if ``json_out`` cannot be written or is no file of figures, where that can be told before anything is
    measured.
    """
    if json_out:
        check_figures_file(json_out, {"CLIP": clip or CLIP})
    lighting = build_lighting(settings, None)
    sizes = [parse_size(text) for text in size.split(",")] if size else [None]
    reports = []
    for wanted in sizes:
        with open_relighter(settings) as relighter:
            for level in range(len(relighter.level_names) if levels else 1):
                asked = settings.threads, settings.model
                reports.append(measure(clip or CLIP, wanted, frames, relighter, lighting, *asked, level))
                show(reports[-1], Console())
    if len(reports) > 1:
        show_together(reports, Console())
    if json_out:
        numbers = [asdict(report) for report in reports]
        try:
            json_out.write_text(json.dumps(numbers if len(numbers) > 1 else numbers[0], indent=1) + "\n")
        except OSError as exc:
            raise OutputError(f"{json_out} cannot be written ({exc.strerror}); choose another file.") from exc
