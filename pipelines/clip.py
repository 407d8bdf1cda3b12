"""Recorded clips and pictures: one job from file to file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livelight.errors import InputError, LiveLightError, SettingsError
from livelight.lighting import Lighting
from livelight.nvidia_video import nvdec_fault
from livelight.session import RelightStep, run_session
from livelight.side_by_side import SideBySide
from livelight.sinks.file import VideoFileSink
from livelight.sinks.picture import PictureSink
from livelight.sources.file import VideoFileSource
from livelight.sources.picture import PictureSource
from livelight.stage_times import StageTimes
from pipelines.clip_job import ClipJob
from pipelines.clip_settings import ClipSettings, check_effects
from pipelines.progress import progress_for

LightingOfDuration = Callable[[float | None], Lighting]
"""The light for a clip of so many seconds; None where the length is unknown."""


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What came of one job. notes: sentences that the user should read."""

    target: Path
    frames: int
    times: StageTimes
    notes: list[str]


class Stopped(KeyboardInterrupt):
    """Ctrl-C, after what was done so far has been saved. partial: where, or None if nothing was done yet."""

    def __init__(self, partial: Path | None) -> None:
        super().__init__()
        self.partial = partial


class Terminated(SystemExit):
    """SIGTERM, likewise. code: the exit status."""

    def __init__(self, code: int | str | None, partial: Path | None) -> None:
        super().__init__(code)
        self.partial = partial


def relight_all(
    jobs: list[ClipJob],
    settings: ClipSettings,
    relighter: RelightStep[Any],
    lighting_of: LightingOfDuration,
    quiet: bool = False,
) -> int:
    """Relight the jobs frame by frame; see ``run_all``. Raises SettingsError for an option without effect."""
    check_effects(settings)

    def run(job: ClipJob) -> ClipResult:
        with progress_for(job.source.name, quiet) as progress:
            return relight_clip(job, settings, relighter, lighting_of, progress.advance)

    return run_all(jobs, run, quiet)


def run_all(jobs: list[ClipJob], run: Callable[[ClipJob], ClipResult], quiet: bool = False) -> int:
    """Run the jobs in turn and report on stderr; the number of jobs that failed.

    With several jobs a failed one is reported and the next begins; the error of a single job is raised. Ctrl-C ends
    all: Stopped is raised; SIGTERM too: Terminated.
    """
    failed = 0
    for job in jobs:
        try:
            result = run(job)
        except (Stopped, Terminated) as stopped:
            say(f"Stopped; what is done lies in {stopped.partial}." if stopped.partial else "Stopped.")
            raise
        except LiveLightError as exc:
            if len(jobs) == 1:
                raise
            say(str(exc))
            failed += 1
            continue
        for note in result.notes:
            say(note)
        if not quiet:
            say(f"{job.target}" if job.is_picture else f"{job.target}: {result.frames} frames.")
    return failed


def say(sentence: str) -> None:
    """A sentence for the user, on stderr."""
    print(f"livelight: {sentence}", file=sys.stderr, flush=True)


def relight_clip(
    job: ClipJob,
    settings: ClipSettings,
    relighter: RelightStep[Any],
    lighting_of: LightingOfDuration,
    on_frame: Callable[[int, int | None], None] = lambda done, total: None,
) -> ClipResult:
    """Relight one file; ``on_frame(done, total)`` is called per frame, total None where unknown.

    The target appears only when it is whole. If the input breaks off, or on Ctrl-C or SIGTERM, what is done is kept,
    playable, as NAME.partial.EXT (if that is taken, as the next free name), and InputError, Stopped or Terminated is
    raised. After any other error nothing stays on the disk.
    """
    source = open_source(job, decoding_gpu(settings))
    try:
        lighting = lighting_of(source.duration_s)
        sink = open_sink(job, source, settings)
        done = 0

        def count(frames: int) -> None:
            nonlocal done
            done = frames
            on_frame(frames, source.frame_count)

        try:
            step = SideBySide(relighter) if settings.compare else relighter
            times = run_session(source, sink, step, lighting, count)
            sink.close()
        except KeyboardInterrupt as exc:
            raise Stopped(sink.keep_partial()) from exc
        except SystemExit as exc:
            raise Terminated(exc.code, sink.keep_partial()) from exc
        except InputError as exc:
            partial = sink.keep_partial()
            raise InputError(f"{exc} What came before is relit in {partial}." if partial else str(exc)) from exc
        finally:
            sink.abort()  # does nothing to a sink that has ended well
        return ClipResult(job.target, done, times, [*source.notes, *sink.notes])
    finally:
        source.close()


def open_source(job: ClipJob, gpu: int | None = None) -> VideoFileSource | PictureSource:
    """The job's input. gpu: number of the GPU that decodes, None for the CPU. Raises InputError."""
    return PictureSource(job.source) if job.is_picture else VideoFileSource(job.source, gpu)


def decoding_gpu(settings: ClipSettings) -> int | None:
    """Number of the GPU whose NVDEC is to decode, None for the CPU. Raises SettingsError for one that is not there."""
    if settings.decoder == "cpu":
        return None
    if settings.decoder == "auto" and settings.runtime not in ("auto", "tensorrt", "tensorrt-rtx"):
        return None
    fault = nvdec_fault(settings.gpu)
    if fault and settings.decoder == "nvdec":
        raise SettingsError(f"--decoder nvdec cannot be had: {fault}; choose --decoder cpu.")
    return None if fault else settings.gpu


def open_sink(
    job: ClipJob, source: VideoFileSource | PictureSource, settings: ClipSettings
) -> VideoFileSink | PictureSink:
    """The job's output. Raises SettingsError or OutputError for what cannot be written so."""
    if isinstance(source, PictureSource):
        return PictureSink(job.target, source.metadata, overwrite=settings.force)
    return VideoFileSink(
        job.target,
        codec=settings.codec,
        crf=settings.crf,
        rate=source.rate,
        pixel_aspect=source.pixel_aspect,
        copy_from=job.source,
        overwrite=settings.force,
    )
