"""Long clips as windows that overlap: the whole network per window, their answers averaged with pyramid weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livelight.errors import SettingsError
from offline.denoiser import F32


@dataclass(frozen=True, slots=True)
class Window:
    """Frames start..stop-1, seen by the network at once."""

    start: int
    stop: int


def lay_out(frames: int, length: int, overlap: int) -> list[Window]:
    """Windows of ``length`` frames over a clip, each sharing ``overlap`` or more with the next; all frames are covered.

    The last window is moved back so that it ends with the clip; a shorter clip is one window. Raises SettingsError.
    """
    if frames < 1 or length < 1 or not 0 <= overlap < length:
        raise SettingsError(
            f"Expected at least one frame and an overlap from 0 to the window's length - 1, got {frames} frames, "
            f"windows of {length} and an overlap of {overlap}; choose a smaller overlap."
        )
    if frames <= length:
        return [Window(0, frames)]
    starts = [*range(0, frames - length, length - overlap), frames - length]
    return [Window(s, s + length) for s in starts]


def pyramid(length: int) -> NDArray[np.float64]:
    """Weights 1, 2, ..., 2, 1: a window is surest in its middle."""
    ramp = np.arange(length)
    return np.minimum(ramp + 1, length - ramp).astype(np.float64)


class Blend:
    """Averages what windows say of the frames they share; windows come in the order of ``lay_out``.

    Sums are float64 and weights whole numbers, so that windows that agree come out exactly as they went in. Only the
    frames that a later window will still speak of are held: memory does not grow with the clip.
    """

    def __init__(self, windows: list[Window]) -> None:
        self._windows = windows
        self._total = np.zeros(0)
        self._weight = np.zeros(0)

    def add(self, index: int, answer: F32) -> tuple[int, F32]:
        """Add window ``index``'s answer, float32 (f, ...); gives the first frame and the frames now final."""
        window = self._windows[index]
        weights = pyramid(window.stop - window.start)
        scaled = answer.astype(np.float64) * _per_frame(weights, answer.ndim)
        held = len(self._weight)
        if held:
            scaled[:held] += self._total
            weights[:held] += self._weight
        last = index + 1 == len(self._windows)
        final = (window.stop if last else self._windows[index + 1].start) - window.start
        done = scaled[:final] / _per_frame(weights[:final], answer.ndim)
        self._total, self._weight = scaled[final:].copy(), weights[final:]
        return window.start, done.astype(np.float32)

    def state(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is held, weighted sums and weights, to be stored."""
        return self._total, self._weight

    def restore(self, total: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        """Go on where ``state`` was taken."""
        self._total, self._weight = total, weight


def _per_frame(weights: NDArray[np.float64], dimensions: int) -> NDArray[np.float64]:
    return weights.reshape(-1, *[1] * (dimensions - 1))
