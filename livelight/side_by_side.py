"""Before | after: a relighter whose picture shows both."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np

from livelight.frame import Frame
from livelight.lighting import Light
from livelight.session import RelightStep

State = TypeVar("State")


class SideBySide(Generic[State]):
    """Wraps a relighter; frames come out twice as wide: the original on the left, the relit one on the right."""

    def __init__(self, relighter: RelightStep[State]) -> None:
        self._relighter = relighter
        self.timings_ms: dict[str, float] = {}

    def step(self, frame: Frame, light: Light, state: State | None) -> tuple[Frame, State]:
        """Image (h, w, 3) -> (h, 2 w, 3)."""
        relit, state = self._relighter.step(frame, light, state)
        self.timings_ms = self._relighter.timings_ms
        return frame.with_image(np.concatenate([frame.image, relit.image], axis=1)), state
