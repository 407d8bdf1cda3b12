"""The passes of RelightVid and IC-Light over a clip; the live relighter gives them the matte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livelight.relight import build_relighter
from pipelines.clip_job import ClipJob
from pipelines.clip_settings import ClipSettings
from pipelines.finish_step import FinishStep
from pipelines.prepare_clip import prepare
from pipelines.work_folder import WorkFolder

if TYPE_CHECKING:
    from offline.denoiser import VideoModel
    from offline.frame_store import FrameStore


class LatentPasses:
    """Passes (pipelines.diffusion_clip) around a model with a picture coder."""

    def __init__(self, settings: ClipSettings, model: VideoModel) -> None:
        """Raises RuntimeFailure when the live relighter does not start."""
        self._settings, self._model = settings, model
        self._live = build_relighter(settings.model_copy(update={"model": "live"}))

    def prepare(self, job: ClipJob, work: WorkFolder, size: tuple[int, int], quiet: bool) -> None:
        prepare(job, self._settings, self._model, self._live, work, size, quiet)

    def finish(self, latents: FrameStore, size: tuple[int, int]) -> FinishStep:
        return FinishStep(latents, self._model, self._live, size, self._settings.detail)

    def close(self) -> None:
        self._live.close()
