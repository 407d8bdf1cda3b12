"""The first pass over a clip for a diffusion model: every frame is read, and what the model is told of it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from livelight.errors import InputError
from livelight.frame import Frame
from livelight.session import starts_anew
from livelight.sources.file import VideoFileSource
from livelight.sources.picture import PictureSource
from offline.denoiser import F32, ClipModel
from offline.frame_store import FrameStore, written
from pipelines.clip import open_source
from pipelines.clip_job import ClipJob
from pipelines.progress import Progress, progress_for
from pipelines.work_folder import WorkFolder


@dataclass
class FirstPass:
    """A pass on its way; done: frames of which everything is stored."""

    source: VideoFileSource | PictureSource
    stores: Mapping[str, FrameStore]
    progress: Progress
    done: int = 0

    def frames(self) -> Iterator[tuple[Frame, float, bool]]:
        """Every frame, its seconds since the first one, and whether it is no continuation of the one before."""
        previous: Frame | None = None
        start_s = 0.0
        for frame in self.source:
            if previous is None:
                start_s = frame.time_s
            yield frame, frame.time_s - start_s, previous is not None and starts_anew(previous, frame)
            previous = frame

    def write(self, told: Mapping[str, F32]) -> None:
        """What the model is told of the next frames: for every store, float32 (n, *shape)."""
        count = min(len(values) for values in told.values())
        for name, values in told.items():
            self.stores[name].write(self.done, values)
        self.done += count
        self.progress.advance(self.done, self.source.frame_count)


@contextmanager
def first_pass(
    job: ClipJob, model: ClipModel, work: WorkFolder, size: tuple[int, int], quiet: bool
) -> Iterator[FirstPass]:
    """Open the clip, and stores of what the model, at its size (width, height), is told of a frame.

    At the end the work folder is told how many frames are prepared. A clip that breaks off (InputError, which goes on
    to the caller) is prepared as far as it goes.
    """
    source = open_source(job)
    try:
        stores = {
            name: FrameStore(
                work.path / f"{name}.f32", shape, fresh=True, stored=model.plan.stored.get(name, "float32")
            )
            for name, shape in model.condition_shapes(*size).items()
        }
        with written(stores.values()), progress_for(f"{job.source.name}, preparing", quiet) as progress:
            taken = FirstPass(source, stores, progress)
            try:
                yield taken
                broken = None
            except InputError as error:
                broken = error
    finally:
        source.close()
    if taken.done or broken is None:
        work.prepared(taken.done)
    if broken is not None:
        raise broken
