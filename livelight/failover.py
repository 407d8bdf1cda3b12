"""When the GPU fails or hangs in mid-stream, the CPU takes that frame; nothing of the stream is lost but its state."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

from livelight.batch import Job
from livelight.errors import LiveLightError
from livelight.frame import Frame
from livelight.gpu_relighter import KEPT, GpuState
from livelight.lighting import Light
from livelight.relight import Relighter, State
from livelight.watched_relighter import WatchedRelighter

log = logging.getLogger(__name__)

Kept = TypeVar("Kept", GpuState, State)


class FailoverRelighter:
    """Steps ``first`` until it fails, then ``second``, which is readied beside the first frame so that it can take over
    at once. For the runtime ``auto`` only: an explicit choice that fails is an error.

    notice: is told once, in one sentence.
    """

    def __init__(self, first: WatchedRelighter, second: Relighter, notice: Callable[[str], None] = log.warning) -> None:
        self._first: WatchedRelighter | None = first
        self._second = second
        self._notice = notice
        self._readied: threading.Thread | None = None
        self._sizes: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self.timings_ms: dict[str, float] = {}

    @property
    def runtime_name(self) -> str:
        return self._first.runtime_name if self._first else self._second.runtime_name

    @property
    def level_names(self) -> tuple[str, ...]:
        return (self._first or self._second).level_names

    def set_level(self, level: int) -> None:
        (self._first or self._second).set_level(level)

    @property
    def max_batch(self) -> int:
        """As the GPU's; 1 on the CPU, where taking turns is as fast (docs/webrtc.md)."""
        return self._first.max_batch if self._first else 1

    def batch_key(self, frame: Frame, light: Light) -> Hashable:
        return self._first.batch_key(frame, light) if self._first else None

    def step(self, frame: Frame, light: Light, state: GpuState | State | None = None) -> tuple[Frame, GpuState | State]:
        """As Relighter.step; a state of the other engine is dropped."""
        return self.step_many([Job(frame, light, state)])[0]

    def step_many(self, jobs: Sequence[Job]) -> list[tuple[Frame, GpuState | State]]:
        """As GpuRelighter.step_many; on the CPU one after the other."""
        first = self._first
        if first is not None:
            self._ready(jobs[0].frame, jobs[0].light)
            own = [job._replace(state=_of(GpuState, job.state)) for job in jobs]
            try:
                done = first.step_many(own)
            except LiveLightError as exc:
                self._give_up(exc)
            else:
                self.timings_ms = first.timings_ms
                return list(done)
        if self._readied is not None:
            self._readied.join()
        out = [self._second.step(job.frame, job.light, _of(State, job.state)) for job in jobs]
        self.timings_ms = self._second.timings_ms
        return list(out)

    def _ready(self, frame: Frame, light: Light) -> None:
        """Compile the second engine for this frame size on a thread of its own, once per size."""
        size = (frame.width, frame.height)
        if size in self._sizes:
            return
        if self._readied is not None:
            self._readied.join()
        self._sizes.append(size)
        self._readied = threading.Thread(target=self._compile, args=(size, light), name="livelight-ready", daemon=True)
        self._readied.start()

    def _compile(self, size: tuple[int, int], light: Light) -> None:
        try:
            self._second.analyse(np.zeros((size[1], size[0], 3), np.uint8), size, light, None)
        except LiveLightError as exc:  # the step that needs it will raise it
            log.info("the second engine is not ready: %s", exc)

    def _give_up(self, error: LiveLightError) -> None:
        lost, self._first = self._first, None
        self._notice(f"The GPU is given up ({error}); the CPU goes on ({self._second.runtime_name}).")
        if lost is not None:
            lost.abandon()

    def close(self) -> None:
        """Free the GPU, and end what stood ready."""
        first, self._first = self._first, None
        if first is not None:
            first.close()
        if self._readied is not None:
            self._readied.join()
        self._second.close()

    def __enter__(self) -> FailoverRelighter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _of(kind: type[Kept], state: GpuState | State | None) -> Kept | None:
    return state if isinstance(state, kind) else None
