"""Recorded clips through a video diffusion model: prepare every frame, denoise the clip, finish every frame.

The finished frames go through ``relight_clip``: sound, times, whole files or none, exactly as for the live relighter.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from livelight.errors import InputError, LiveLightError, MissingExtra, OutputError
from livelight.light_program import build_lighting
from livelight.relight import network_size
from livelight.session import RelightStep
from pipelines.clip import ClipResult, Stopped, open_sink, open_source, relight_clip, run_all, say
from pipelines.clip_job import ClipJob
from pipelines.clip_settings import ClipSettings, check_effects
from pipelines.progress import progress_for
from pipelines.work_folder import WorkFolder
from pipelines.working_size import working_size

if TYPE_CHECKING:
    from offline.clip_run import Answer
    from offline.denoiser import ClipModel, Denoiser, VideoModel
    from offline.frame_store import FrameStore
    from offline.own_model import OwnModel

NOT_IN_RESULT = {
    *("compare", "codec", "crf", "force", "restart", "extra", "extra_format"),
    *("threads", "runtime", "gpu", "gpu_precision", "decoder", "cluster"),
}
"""Settings that do not change what is denoised."""


class Passes(Protocol):
    """What happens to a clip's frames before and after the model, which is opened for pictures of one size."""

    def prepare(self, job: ClipJob, work: WorkFolder, size: tuple[int, int], quiet: bool) -> None:
        """Store what the model must be told of every frame. Raises InputError if the clip breaks off, with what came
        before stored."""
        ...

    def finish(self, latents: FrameStore, size: tuple[int, int]) -> RelightStep[Any]:
        """A step that gives the clip's frames, in their order and each once, their new light."""
        ...

    def close(self) -> None: ...


Opened = Callable[[ClipSettings, tuple[int, int]], "ClipModel"]
"""Opens the model for pictures of a size."""


def open_diffusion(settings: ClipSettings, size: tuple[int, int]) -> ClipModel:
    """The model that the settings ask for. Raises MissingExtra, SettingsError or RuntimeFailure."""
    if settings.model == "diffusion":
        from offline.own_model import open_own_model

        return open_own_model(settings, size, settings.threads)
    try:
        from offline.models import open_model
    except ImportError as exc:
        raise MissingExtra((exc.name or "torch").split(".")[0], "offline", f"--model {settings.model}") from exc
    return open_model(settings.model, settings, size, say)


def _passes(settings: ClipSettings, model: ClipModel) -> Passes:
    if settings.model == "diffusion":
        from pipelines.own_clip import OwnPasses

        return OwnPasses(settings, cast("OwnModel", model))
    from pipelines.latent_clip import LatentPasses

    return LatentPasses(settings, cast("VideoModel", model))


def diffuse_all(jobs: list[ClipJob], settings: ClipSettings, quiet: bool, opened: Opened = open_diffusion) -> int:
    """Run the jobs in turn and report on stderr; the number of jobs that failed.

    Raises SettingsError for an option without effect.
    """
    check_effects(settings)
    size = _first_size(jobs, settings)
    model = opened(settings, size)
    answer = _cluster_answer(settings, model, size) if settings.cluster else None
    passes = _passes(settings, model)
    try:
        return run_all(jobs, lambda job: diffuse_clip(job, settings, model, passes, quiet, answer), quiet)
    finally:
        passes.close()


def _first_size(jobs: list[ClipJob], settings: ClipSettings) -> tuple[int, int]:
    """The network's size for the first clip that can be relit; if none can, the first one's error is raised."""
    for job in jobs:
        with suppress(InputError, OutputError):
            return _measured(job, settings).size
    return _measured(jobs[0], settings).size


def _cluster_answer(settings: ClipSettings, model: ClipModel, size: tuple[int, int]) -> Answer:
    """Windows go to Ray's workers, each of which opens the model once; this process encodes, blends and decodes."""
    from offline.cluster import connect, gpus_each, on_cluster

    slots = connect(settings.cluster or "local")
    gpus = 0.0 if settings.device == "cpu" else gpus_each()
    return on_cluster(model.fingerprint, partial(_open_denoiser, settings, size), 2 * slots, gpus)


def _open_denoiser(settings: ClipSettings, size: tuple[int, int]) -> Denoiser:
    return open_diffusion(settings, size).denoiser


@dataclass(frozen=True, slots=True)
class _Measured:
    """What must be known of a clip before it starts. size: (width, height) for the network; frames: expected."""

    size: tuple[int, int]
    frames: int


def _measured(job: ClipJob, settings: ClipSettings) -> _Measured:
    """Raises InputError, and whatever the output will raise for codec, container or audio: not after hours."""
    source = open_source(job)
    try:
        open_sink(job, source, settings).abort()
        if settings.model == "diffusion":
            size = network_size(source.width, source.height)
        else:
            size = working_size(source.width, source.height, settings.size)
        return _Measured(size, source.frame_count or 1)
    finally:
        source.close()


def diffuse_clip(
    job: ClipJob,
    settings: ClipSettings,
    model: ClipModel,
    passes: Passes,
    quiet: bool,
    answer: Answer | None = None,
) -> ClipResult:
    """Relight one file; a run that was killed goes on where it was, with the same result bit for bit.

    answer: who asks the denoiser; None does it here. Raises as ``relight_clip`` does; Stopped too, with the work kept
    unless frames were still being prepared. A clip that breaks off is relit up to there.
    """
    from offline.clip_run import ClipRun, one_by_one

    clip = _measured(job, settings)
    work = WorkFolder(job.target, _run_note(job, settings, model, clip.size), settings.restart)
    whole = True
    if work.frames is None:
        _say_estimate(job, model, clip, quiet)
        whole = _guarded(work, lambda: passes.prepare(job, work, clip.size, quiet))
    frames = work.frames
    assert frames is not None
    shapes = (model.latent_shape(*clip.size), model.condition_shapes(*clip.size))
    run = ClipRun(work.path, frames, *shapes, model.plan, settings.seed)
    try:
        with progress_for(job.source.name, quiet, "window") as progress:
            latents = run.run(answer or one_by_one(model.denoiser), progress.advance)
        step = passes.finish(latents, clip.size)
        with progress_for(job.source.name, quiet) as progress:
            result = relight_clip(
                job, settings, step, lambda duration_s: build_lighting(settings, duration_s), progress.advance
            )
    except Stopped:
        raise
    except InputError:
        if not whole:
            work.remove()
        raise
    except KeyboardInterrupt as exc:
        say(f"{run.done} of {run.total} windows are done; the same command goes on from there.")
        raise Stopped(None) from exc
    finally:
        run.close()
    work.remove()
    return result


def _guarded(work: WorkFolder, prepare: Callable[[], None]) -> bool:
    """What is left of a preparation that failed goes, unless the clip broke off after some frames: those are relit.

    False if it did.
    """
    try:
        prepare()
    except KeyboardInterrupt as exc:
        work.remove()
        raise Stopped(None) from exc
    except LiveLightError as exc:
        if isinstance(exc, InputError) and work.frames:
            return False
        work.remove()
        raise
    return True


def _say_estimate(job: ClipJob, model: ClipModel, clip: _Measured, quiet: bool) -> None:
    if not quiet:
        from offline.estimate import estimate

        say(estimate(model, clip.frames, *clip.size).sentence(job.source.name))


def _run_note(job: ClipJob, settings: ClipSettings, model: ClipModel, size: tuple[int, int]) -> dict[str, Any]:
    """All that decides the latents: the clip, the light's files, the weights and the settings."""
    note: dict[str, Any] = {"input": _file_note(job.source), "network size": list(size), "weights": model.fingerprint}
    for name, value in settings.model_dump(mode="json").items():
        if name not in NOT_IN_RESULT:
            note[name] = value
    for name in ("env", "background"):
        if Path(note[name]).is_file():
            note[name] = _file_note(Path(note[name]))
    return note


def _file_note(path: Path) -> list[Any]:
    status = path.stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]
