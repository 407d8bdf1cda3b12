"""A GPU whose calls may never return, seen from a thread that must go on."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from functools import partial

from livelight.batch import Job
from livelight.errors import LiveLightError
from livelight.frame import Frame
from livelight.gpu_relighter import GpuRelighter, GpuState
from livelight.lighting import Light
from livelight.own_thread import OwnThread
from livelight.watch import Unanswered, answer

log = logging.getLogger(__name__)


class WatchedRelighter:
    """Steps ``gpu`` on a thread of its own. One thread at a time.

    A call to the device that takes longer than it may (livelight.watch) raises Unanswered, in that step and in all
    later ones; its thread is then left behind in it, and frees the device if it ever comes back.

    way_out: what to do then, ending that error's sentence.
    """

    def __init__(self, gpu: GpuRelighter, way_out: str = "") -> None:
        self._gpu = gpu
        self._way_out = way_out
        self._thread = OwnThread("livelight-gpu")
        self._hangs: Unanswered | None = None
        self._ended = False
        self.timings_ms: dict[str, float] = {}

    @property
    def runtime_name(self) -> str:
        return self._gpu.runtime_name

    @property
    def level_names(self) -> tuple[str, ...]:
        return self._gpu.level_names

    @property
    def max_batch(self) -> int:
        return self._gpu.max_batch

    def set_level(self, level: int) -> None:
        self._gpu.set_level(level)

    def batch_key(self, frame: Frame, light: Light) -> Hashable:
        return self._gpu.batch_key(frame, light)

    def step(self, frame: Frame, light: Light, state: GpuState | None = None) -> tuple[Frame, GpuState]:
        """As GpuRelighter.step."""
        return self.step_many([Job(frame, light, state)])[0]

    def step_many(self, jobs: Sequence[Job]) -> list[tuple[Frame, GpuState]]:
        """As GpuRelighter.step_many; raises Unanswered too."""
        if self._hangs is not None:
            raise self._hangs
        try:
            done = answer(self._thread.call(partial(self._gpu.step_many, jobs)), self._gpu.watch, "the GPU")
        except Unanswered as exc:
            self._hangs = Unanswered(f"{exc}{self._way_out}")
            raise self._hangs from exc
        self.timings_ms = self._gpu.timings_ms
        return done

    def abandon(self) -> None:
        """Free the GPU after the call that hangs, whose memory is in use; nobody waits. May be called twice."""
        if not self._ended:
            self._ended = True
            self._thread.last(self._gpu.close)

    def close(self) -> None:
        """Free the GPU, and wait for it unless it hangs. May be called twice."""
        if self._ended or self._hangs is not None:
            self.abandon()
            return
        self._ended = True
        try:
            answer(self._thread.last(self._gpu.close), self._gpu.watch, "the GPU")
        except LiveLightError as exc:
            log.info("the GPU is not freed: %s", exc)

    def __enter__(self) -> WatchedRelighter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
