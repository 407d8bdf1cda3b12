"""First pass over a clip for a diffusion model: what it must be told of each frame, stored in the work folder."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import InputError
from livelight.light_program import LightProgram, build_lighting
from livelight.relight import Relighter, State
from offline.denoiser import Shot, VideoModel
from pipelines.clip_job import ClipJob
from pipelines.clip_settings import ClipSettings
from pipelines.first_pass import FirstPass, first_pass
from pipelines.work_folder import WorkFolder

AT_ONCE = 4
"""Frames that are encoded together."""

PANORAMA_ROWS = 64


def shrunk(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A frame uint8 (h, w, 3) at the network's size (width, height)."""
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def prepare(
    job: ClipJob,
    settings: ClipSettings,
    model: VideoModel,
    live: Relighter,
    work: WorkFolder,
    size: tuple[int, int],
    quiet: bool,
) -> None:
    """Decode, matte, light and encode every frame. Raises InputError if the clip breaks off, after what came before."""
    with first_pass(job, model, work, size, quiet) as taken:
        lighting = build_lighting(_conditions(settings), taken.source.duration_s)
        for batch in _batches(shots(taken, lighting, live, size)):
            taken.write(model.encode(batch))


def _conditions(settings: ClipSettings) -> ClipSettings:
    """Settings of the condition pictures: where the room is kept, the network is shown the environment behind."""
    keeps = settings.background in ("keep", "blur")
    return settings.model_copy(update={"background": "env"}) if keeps else settings


def shots(taken: FirstPass, lighting: LightProgram, live: Relighter, size: tuple[int, int]) -> Iterator[Shot]:
    """Every frame as the model sees it."""
    state: State | None = None
    for frame, time_s, anew in taken.frames():
        light = lighting.at(time_s, *size)
        image = shrunk(frame.image, size)
        relit, state = live.step(frame.with_image(image), light, None if anew else state)
        assert light.backdrop is not None
        assert live.inside is not None
        environment = lighting.environment_at(time_s).drawn(PANORAMA_ROWS)
        yield Shot(image, live.inside.alpha.copy(), light.backdrop, environment, relit.image)


def _batches(all_shots: Iterator[Shot]) -> Iterator[list[Shot]]:
    """All shots, AT_ONCE at a time; those before an InputError too."""
    batch: list[Shot] = []
    try:
        for shot in all_shots:
            batch.append(shot)
            if len(batch) == AT_ONCE:
                yield batch
                batch = []
    except InputError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
