"""First pass over a clip for a diffusion model: what it must be told of each frame, stored in the work folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import InputError
from livelight.frame import Frame
from livelight.light_program import LightProgram, build_lighting
from livelight.relight import Relighter, State
from livelight.session import starts_anew
from offline.denoiser import Shot, VideoModel
from offline.frame_store import FrameStore, written
from pipelines.clip import open_source
from pipelines.clip_job import ClipJob
from pipelines.clip_settings import ClipSettings
from pipelines.progress import progress_for
from pipelines.work_folder import WorkFolder

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    source = open_source(job)
    stores = {
        name: FrameStore(work.path / f"{name}.f32", shape, fresh=True)
        for name, shape in model.condition_shapes(*size).items()
    }
    done = 0
    try:
        with written(stores.values()), progress_for(f"{job.source.name}, preparing", quiet) as progress:
            lighting = build_lighting(_conditions(settings), source.duration_s)
            for batch in _batches(shots(source, lighting, live, size)):
                for name, values in model.encode(batch).items():
                    stores[name].write(done, values)
                done += len(batch)
                progress.advance(done, source.frame_count)
    except InputError:
        if done:
            work.prepared(done)
        raise
    finally:
        source.close()
    work.prepared(done)


def _conditions(settings: ClipSettings) -> ClipSettings:
    """Settings of the condition pictures: where the room is kept, the network is shown the environment behind."""
    keeps = settings.background in ("keep", "blur")
    return settings.model_copy(update={"background": "env"}) if keeps else settings


def shots(source: Iterable[Frame], lighting: LightProgram, live: Relighter, size: tuple[int, int]) -> Iterator[Shot]:
    """Every frame as the model sees it."""
    state: State | None = None
    previous: Frame | None = None
    start_s = 0.0
    for frame in source:
        if previous is None:
            start_s = frame.time_s
        elif starts_anew(previous, frame):
            state = None
        previous = frame
        time_s = frame.time_s - start_s
        light = lighting.at(time_s, *size)
        image = shrunk(frame.image, size)
        relit, state = live.step(frame.with_image(image), light, state)
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
