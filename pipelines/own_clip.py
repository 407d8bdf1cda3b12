"""The passes of our own diffusion model over a clip: tell it of every frame, and bring its answer into every frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.frame import Frame
from livelight.light_program import build_lighting
from livelight.lighting import Light
from livelight.quality import UNHURRIED
from livelight.relight import Relighter, State
from livelight.runtimes import open_runtime
from livelight.segmenters import open_segmenter
from offline.frame_store import FrameStore
from offline.own_model import OwnModel
from offline.own_passes import FinishRuntime, Look
from offline.views import others_of
from pipelines.clip_job import ClipJob
from pipelines.clip_settings import ClipSettings
from pipelines.first_pass import first_pass
from pipelines.work_folder import WorkFolder


class OwnPasses:
    """Passes (pipelines.diffusion_clip) around OwnModel."""

    def __init__(self, settings: ClipSettings, model: OwnModel) -> None:
        """Raises RuntimeFailure when no engine works."""
        self._settings, self._model = settings, model
        runtime = "auto" if settings.runtime.startswith("tensorrt") else settings.runtime
        self._base, self._large = (open_runtime(runtime, path, settings.threads) for path in (model.base, model.large))
        self._runtime = FinishRuntime(self._base)
        self._segmenter = open_segmenter(settings.segmenter, runtime)
        self._relighter = Relighter(self._runtime, self._segmenter, UNHURRIED)

    def prepare(self, job: ClipJob, work: WorkFolder, size: tuple[int, int], quiet: bool) -> None:
        """See Passes."""
        look = Look(self._base, others_of(self._base, self._large))
        with first_pass(job, self._model, work, size, quiet) as taken:
            lighting = build_lighting(self._settings, taken.source.duration_s)
            for frame, time_s, anew in taken.frames():
                if anew:
                    look.restart()
                light = toned(lighting.at(time_s, frame.width, frame.height))
                half = halved(frame)
                small = np.asarray(cv2.resize(half, size))
                taken.write(look.at(small, self._segmenter.segment(half), light.code, frame.image))

    def finish(self, latents: FrameStore, size: tuple[int, int]) -> FinishStep:
        """A RelightStep for the clip's frames in their order."""
        self._runtime.begin(latents)
        return FinishStep(self._relighter)

    def close(self) -> None:
        self._relighter.close()


class FinishStep:
    """The live path, with the light as the model was told of it."""

    def __init__(self, relighter: Relighter) -> None:
        self.timings_ms: dict[str, float] = {}
        self._relighter = relighter

    def step(self, frame: Frame, light: Light, state: State | None) -> tuple[Frame, State]:
        result = self._relighter.step(frame, toned(light), state)
        self.timings_ms = self._relighter.timings_ms
        return result


def halved(frame: Frame) -> NDArray[np.uint8]:
    """The frame at half its size, as ``Relighter.step`` makes it for the segmenter and, smaller still, the network."""
    half = cv2.resize(frame.image, (max(frame.width // 2, 1), max(frame.height // 2, 1)))
    return np.asarray(half, np.uint8)


def toned(light: Light) -> Light:
    """Exposure and tint of the background go into the light: the model, not a gain on its picture, follows them."""
    return replace(light, code=light.code * light.tone_gain, tone_gain=np.ones(3, np.float32))
