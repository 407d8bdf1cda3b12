"""The two contracts of offline relighting: a Denoiser takes noise away, a VideoModel knows its pictures and conditions.

Everything that runs over a clip (windows, samplers, noise, checkpoints, cluster) knows only these, and no torch.
Latents are float32 arrays (c, h, w), one per frame, "variance exploding": x = clean + sigma * noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Shape = tuple[int, ...]
Stored = Literal["float32", "float16", "unit"]
"""How values lie in a file. unit: a byte each, for values in [0, 1] that were bytes before."""
Condition = Mapping[str, F32]
"""What a model asked to be told of each frame: name -> float32 (frames, ...)."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame as a model sees it, all pictures of one size (h, w) that ``VideoModel.multiple`` divides.

    image: uint8 (h, w, 3) sRGB, the source. matte: float32 (h, w) in [0, 1], straight. backdrop: uint8 (h, w, 3) sRGB,
    what shall stand behind the person or, where the room is kept, what would be seen of the environment. environment:
    float32 (rows, 2 rows, 3), linear, turned and exposed. relit: uint8 (h, w, 3) sRGB, the live relighter's result.
    """

    image: U8
    matte: F32
    backdrop: U8
    environment: F32
    relit: U8


class Denoiser(Protocol):
    """A network that sees a window of frames at once. One thread at a time.

    ``model(x, sigma, condition)``: x (f, c, h, w) float32, noised by sigma > 0, 1 <= f <= max_frames; the answer is the
    clean estimate, same shape, float32, and must depend on its arguments alone. Raises
    RuntimeFailure when the device fails.
    """

    max_frames: int

    def __call__(self, x: F32, sigma: float, condition: Condition) -> F32: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is to be sampled: the sampler's name (offline.samplers), its noise levels, and the windows.

    sigmas: falling, the last one 0. window: frames seen at once. overlap: frames that neighbouring windows share.
    shared_noise: all frames of a clip have the same noise. stored: how latents ("latents") and conditions lie on the
    disk, float32 where nothing is said.
    """

    sampler: str
    sigmas: tuple[float, ...]
    window: int
    overlap: int
    shared_noise: bool = False
    stored: Mapping[str, Stored] = field(default_factory=dict)


class ClipModel(Protocol):
    """What every relighting model of this package says of itself. One thread at a time.

    name: as the user gives it. fingerprint: everything of weights and settings that changes results, short. multiple:
    sides of its pictures are multiples of this. peak_bytes: memory that it takes on its device at the worst moment.
    """

    name: str
    fingerprint: str
    multiple: int
    plan: Plan
    peak_bytes: int

    @property
    def denoiser(self) -> Denoiser: ...

    def latent_shape(self, width: int, height: int) -> Shape:
        """(c, h, w) of one frame's latents for pictures of this size."""
        ...

    def condition_shapes(self, width: int, height: int) -> dict[str, Shape]:
        """Shape of each per-frame condition array that it must be told."""
        ...

    def window_flops(self, width: int, height: int) -> float:
        """Operations (a multiply-add is two) of one call of ``denoiser`` on a whole window."""
        ...

    def speed(self) -> float:
        """Operations a second of its device, tried for a moment; good to a factor of two."""
        ...


class VideoModel(ClipModel, Protocol):
    """A model with a picture coder of its own: ``encode`` makes the conditions, ``decode`` pictures."""

    def encode(self, shots: Sequence[Shot]) -> dict[str, F32]:
        """Conditions of some frames: name -> float32 (frames, ...)."""
        ...

    def decode(self, latents: F32) -> U8:
        """Pictures uint8 (frames, h, w, 3) sRGB of clean latents (frames, c, h', w')."""
        ...
