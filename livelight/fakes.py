"""Shipped stand-ins for the relighter and the light: tests and benchmarks run the real session with them."""

from __future__ import annotations

from typing import Self

import numpy as np

from livelight.frame import Frame
from livelight.lighting import Light


class IdentityRelighter:
    """Gives every frame back as it came; its state counts the frames since the last start."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}

    def step(self, frame: Frame, light: Light, state: int | None) -> tuple[Frame, int]:
        return frame, (state or 0) + 1

    @property
    def runtime_name(self) -> str:
        return "identity"

    @property
    def level_names(self) -> tuple[str, ...]:
        return ("full",)

    def set_level(self, level: int) -> None:
        pass

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class WhiteRoom:
    """The same even white light at every moment (Lighting)."""

    def at(self, time_s: float, width: int, height: int) -> Light:
        return Light(
            code=np.full((16, 16, 3), 1.0, np.float32),
            backdrop=None,
            blur=0.0,
            intensity=1.0,
            tone_gain=np.ones(3, np.float32),
        )
