"""Pictures of several streams in one run of an engine, each with its own light and its own state."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from livelight.frame import Frame
from livelight.lighting import Light


class Job(NamedTuple):
    """What one stream wants of a step: as the arguments of RelightStep.step."""

    frame: Frame
    light: Light
    state: Any


@runtime_checkable
class BatchStep(Protocol):
    """A relighter whose engine takes several pictures at once. Called by one thread, as its ``step``."""

    @property
    def max_batch(self) -> int:
        """Most jobs of one run, 1 or more; may fall while it works."""
        ...

    def batch_key(self, frame: Frame, light: Light) -> Hashable:
        """Jobs whose keys are equal may go in one run."""
        ...

    def step_many(self, jobs: Sequence[Job]) -> list[tuple[Frame, Any]]:
        """What ``step`` gives for each job, in their order: no picture or state of one tells in another's."""
        ...
