"""What our own diffusion model is told of a clip, and how its answer reaches the frames: both through the live path.

The frozen base looks at every frame as it is and in a mirror, each with a state of its own; what it was given is kept,
and so is what other views add (offline.views). Afterwards the live path runs over the clip once more, with
an engine whose gain and offset are brought to the levels that were denoised: matte, background, intensity and detail
are the live path's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.runtimes import NetworkOutput, NetworkState, Runtime
from offline.denoiser import F32
from offline.frame_store import FrameStore
from offline.level import brought_to, level
from offline.near_view import NearView
from offline.own_model import STATE_STRIDES
from offline.views import PLAIN, Asked, Seen, change_by, kept_small

AHEAD = 4
"""Frames that are read from the disk together."""


class Look:
    """What the base was given of each frame of a clip, in order; states as before the frame."""

    def __init__(self, base: Runtime, others: Sequence[Asked], near: bool = True) -> None:
        """others: of offline.views.others_of; fewer, or near off, only to measure what they are worth."""
        self._base, self._asked, self._has_near = base, others, near
        self.restart()

    def restart(self) -> None:
        """The next frame has nothing to do with those before."""
        self._plain = [Seen(self._base, view) for view in PLAIN]
        self._others: list[Seen] | None = None
        self._near = NearView(self._base) if self._has_near else None

    def at(self, picture: NDArray[np.uint8], matte: F32, code: F32, frame: NDArray[np.uint8]) -> dict[str, F32]:
        """Conditions of one frame, each (1, ...).

        picture: uint8 (h, w, 3) sRGB. matte: float32 in [0, 1], any grid over it. code: (16, 16, 3) linear. frame: what
        the picture was made from, uint8 (H, W, 3).
        """
        h, w = picture.shape[:2]
        half = np.clip(cv2.resize(matte, (w // 2, h // 2), interpolation=cv2.INTER_LINEAR), 0, 1)[None]
        told: dict[str, F32] = {
            "image": picture.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255),
            "matte": half[None],
            "light": code.transpose(2, 0, 1)[None].astype(np.float32),
        }
        if self._others is None:  # as large as the first frame lets them be
            asked = kept_small(self._asked, float(matte.mean()) * h * w)
            self._others = [Seen(relighter, view) for relighter, view in asked]
        before = [seen.state for seen in self._plain]
        plain, others = ([seen.at(picture, code) for seen in every] for every in (self._plain, self._others))
        for kind, seen, state in zip(("state", "mirrored"), self._plain, before, strict=True):
            state = state or tuple(np.zeros_like(value) for value in seen.state or ())
            told |= {f"{kind}{stride}": value for stride, value in zip(STATE_STRIDES, state, strict=True)}
        views = change_by(others, plain, half)
        if self._near is not None:
            whole = (
                sum(plain[1:], plain[0]) / np.float32(len(plain)) + views - level(told["image"][0].transpose(1, 2, 0))
            )
            views = views + self._near.at(frame, half[0], code, whole)
        return told | {"views": views[None]}


class FinishRuntime:
    """A Runtime that says what the base says, but for gain and offset, which reach the denoised levels, frame by frame.

    Frames must come in the clip's order, each once. Before ``begin`` it is the base.
    """

    def __init__(self, base: Runtime) -> None:
        self.name = base.name
        self._base = base
        self._levels: Iterator[F32] = iter(())

    def begin(self, levels: FrameStore) -> None:
        """levels: one per frame of the clip that comes next."""
        self._levels = _frames(levels)

    def run(self, image: NDArray[np.uint8], light: F32, state: NetworkState | None) -> NetworkOutput:
        output = self._base.run(image, light, state)
        wanted = next(self._levels, None)
        if wanted is None:
            return output
        coded = image.astype(np.float32) / np.float32(255)
        gain, offset = brought_to(coded, output.gain, output.offset, wanted)
        return replace(output, gain=gain, offset=offset)


def _frames(store: FrameStore) -> Iterator[F32]:
    count = len(store)
    for start in range(0, count, AHEAD):
        yield from store.read(start, min(start + AHEAD, count))
