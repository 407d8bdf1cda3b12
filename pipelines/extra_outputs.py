"""What the live relighter believes of a clip, beside the output: albedo, normals, matte, light; as video or EXR."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
from numpy.typing import NDArray

from livelight.color import linear_to_srgb, linear_to_srgb8, srgb8_to_linear
from livelight.environment import Environment, rolled_off
from livelight.errors import OutputError, SettingsError
from livelight.frame import Frame
from livelight.light_program import build_lighting
from livelight.lighting import Light
from livelight.relight import Inside, Relighter, State, build_relighter
from livelight.runtimes import NetworkOutput
from livelight.stage_times import StageTimes
from offline.settings import is_diffusion
from pipelines.clip import ClipResult, open_source, relight_clip, run_all
from pipelines.clip_job import ClipJob
from pipelines.clip_settings import ClipSettings
from pipelines.kept_files import refuse_to_replace
from pipelines.progress import progress_for

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


def albedo(frame: U8, inside: Inside) -> F32:
    """Linear reflectance (h, w, 3): the frame divided by the light that falls on the predicted normals; 0 off people.

    The scale is a guess, as in every single picture: light and skin cannot be told apart in brightness.
    """
    lit = _at(_irradiance(inside.output), frame) / np.pi
    return np.asarray(np.clip(srgb8_to_linear(frame) / np.maximum(lit, 0.02), 0, 1) * inside.alpha[..., None])


def normals(frame: U8, inside: Inside) -> F32:
    """Unit normals (h, w, 3) in the camera frame (+x right, +y up, +z to the camera); 0 off people."""
    found = _at(inside.output.normals, frame)
    found /= np.maximum(np.linalg.norm(found, axis=2, keepdims=True), 1e-6)
    return np.asarray(found * (inside.alpha[..., None] > 0), np.float32)


def matte(frame: U8, inside: Inside) -> F32:
    """Straight alpha (h, w, 3), the same in all channels."""
    return np.repeat(inside.alpha[..., None], 3, axis=2)


def light(frame: U8, inside: Inside) -> F32:
    """The light that the picture was taken under: linear radiance, lat-long (256, 512, 3)."""
    return np.asarray(cv2.resize(inside.output.source_light, (512, 256), interpolation=cv2.INTER_LINEAR), np.float32)


def _irradiance(output: NetworkOutput) -> F32:
    panorama = Environment.from_image(cv2.resize(output.source_light, (64, 32), interpolation=cv2.INTER_LINEAR))
    return panorama.irradiance(output.normals.copy())


def _at(x: F32, frame: U8) -> F32:
    return np.asarray(cv2.resize(x, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _unit8(x: F32) -> U8:
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)


EXTRAS: dict[str, tuple[Callable[[U8, Inside], F32], Callable[[F32], U8]]] = {
    "albedo": (albedo, linear_to_srgb8),
    "normals": (normals, lambda x: _unit8(x * 0.5 + 0.5)),
    "matte": (matte, _unit8),
    "light": (light, lambda x: _unit8(linear_to_srgb(rolled_off(x)))),
}
"""Name -> (values as float32, the same as a picture uint8)."""


def extra_names(text: str) -> list[str]:
    """The names in a comma-separated list. Raises SettingsError for an unknown one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in EXTRAS:
            raise SettingsError(f"--extra {name}: expected some of {', '.join(EXTRAS)}.")
    return names


class ExtraStep:
    """A RelightStep that shows one of EXTRAS in place of the relit picture."""

    def __init__(self, name: str, live: Relighter) -> None:
        self.timings_ms: dict[str, float] = {}
        self._values, self._picture = EXTRAS[name]
        self._live = live

    def step(self, frame: Frame, light: Light, state: State | None) -> tuple[Frame, State]:
        values, state = self.values(frame, light, state)
        return frame.with_image(self._picture(values)), state

    def values(self, frame: Frame, light: Light, state: State | None) -> tuple[F32, State]:
        """The float values of one frame."""
        _, state = self._live.step(frame, replace(light, intensity=0.0, backdrop=None, blur=0.0), state)
        assert self._live.inside is not None
        return self._values(frame.image, self._live.inside), state


def write_extras(jobs: list[ClipJob], settings: ClipSettings, quiet: bool) -> int:
    """Write all extras of all jobs whose output is there; the number that failed."""
    besides = _besides([job for job in jobs if job.target.exists()], settings)
    model = "live" if is_diffusion(settings.model) else settings.model
    steady = settings.model_copy(update={"model": model, "compare": False, "background": "keep"})
    with build_relighter(steady) as live:
        return run_all(list(besides), lambda job: _write(job, ExtraStep(besides[job], live), steady, quiet), quiet)


def check_extras(jobs: list[ClipJob], settings: ClipSettings) -> None:
    """Raise SettingsError for an unknown extra, OutputError for one whose file is there already (without --force) or
    is read by this run."""
    inputs = [job.source for job in jobs]
    for job in _besides(jobs, settings):
        refuse_to_replace(job.target, "The --extra output", inputs, settings)
        if job.target.exists() and not settings.force:
            raise OutputError(f"{job.target} exists already; choose another name or give --force to replace it.")


def _besides(jobs: list[ClipJob], settings: ClipSettings) -> dict[ClipJob, str]:
    """Every extra of every job as a job of its own, with the extra's name."""
    form = settings.extra_format
    names = extra_names(settings.extra)
    return {replace(job, target=_place(job.target, name, form)): name for job in jobs for name in names}


def _place(target: Path, name: str, form: str) -> Path:
    return target.with_name(f"{target.stem}.{name}{target.suffix if form == 'video' else ''}")


def _write(job: ClipJob, step: ExtraStep, settings: ClipSettings, quiet: bool) -> ClipResult:
    with progress_for(job.target.name, quiet) as progress:
        if settings.extra_format == "video":
            return relight_clip(job, settings, step, lambda s: build_lighting(settings, s), progress.advance)
        return _write_exr(job, step, settings, progress.advance)


def _write_exr(
    job: ClipJob, step: ExtraStep, settings: ClipSettings, on_frame: Callable[[int, int | None], None]
) -> ClipResult:
    """A folder of frames 000001.exr ...; it has its name only when it is whole."""
    if job.target.exists() and not settings.force:
        raise OutputError(f"{job.target} exists already; choose another name or give --force to replace it.")
    pending = job.target.with_name(f".{job.target.name}.{os.getpid()}.part")
    source = open_source(job)
    try:
        pending.mkdir()
        lighting = build_lighting(settings, source.duration_s)
        state: State | None = None
        done = 0
        for done, frame in enumerate(source, start=1):
            values, state = step.values(frame, lighting.at(frame.time_s, frame.width, frame.height), state)
            _write_picture(pending / f"{done:06d}.exr", values)
            on_frame(done, source.frame_count)
        shutil.rmtree(job.target, ignore_errors=True)
        pending.replace(job.target)
    except OSError as exc:
        raise OutputError(f"Writing {job.target} failed: {exc.strerror}; choose another output.") from exc
    finally:
        source.close()
        shutil.rmtree(pending, ignore_errors=True)
    return ClipResult(job.target, done, StageTimes(), [])


def _write_picture(path: Path, values: F32) -> None:
    """float32 (h, w, 3) as an EXR with channels R, G, B, half floats, ZIP."""
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(values, np.float16)}) as file:
        file.write(str(path))
