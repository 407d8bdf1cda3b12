"""A clip through a Denoiser: windows, blending, steps, checkpoints. Memory does not grow with the clip.

Within one step the windows run from left to right. As soon as no later window will speak of a frame, that frame takes
its step. Latents lie in files; only one window and what it shares with the next are in memory. After every window a
checkpoint says how far the run has come, and a run that was killed goes on there, bit for bit: noise depends on seed,
frame and step alone (offline.noise), and all else lies in the files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from livelight.errors import OutputError
from offline.denoiser import F32, Condition, Denoiser, Plan, Shape
from offline.frame_store import FrameStore
from offline.noise import frame_noise
from offline.samplers import SAMPLERS, start
from offline.windows import Blend, lay_out

OnWindow = Callable[[int, int], None]
"""Told (windows done, windows in all), over all steps."""


@dataclass(frozen=True, slots=True)
class Request:
    """One window of one step: what a Denoiser is to be asked."""

    x: F32
    sigma: float
    condition: Condition


Answer = Callable[[Iterable[Request]], Iterator[F32]]
"""Answers requests in their order; may work on several at once, and must then take only a few ahead."""


def one_by_one(denoiser: Denoiser) -> Answer:
    """The plain way: in this process."""
    return lambda requests: (denoiser(r.x, r.sigma, r.condition) for r in requests)


class ClipRun:
    """The denoising of one clip inside a work folder that the caller owns."""

    def __init__(
        self, folder: Path, frames: int, shape: Shape, conditions: dict[str, Shape], plan: Plan, seed: int
    ) -> None:
        """Open the files; a checkpoint that is there is gone on from. conditions: already stored, by name.

        Raises OutputError for a damaged checkpoint and files that cannot be written.
        """
        self._plan, self._seed, self._shape = plan, seed, shape
        self._sampler = SAMPLERS[plan.sampler]
        self._windows = lay_out(frames, plan.window, plan.overlap)
        self._frames = frames
        kinds = plan.stored
        as_latents = kinds.get("latents", "float32")
        self._latents = [FrameStore(folder / f"latents-{k}.f32", shape, stored=as_latents) for k in (0, 1)]
        self._estimates = [FrameStore(folder / f"estimates-{k}.f32", shape) for k in (0, 1)]
        self._conditions = {
            name: FrameStore(folder / f"{name}.f32", s, stored=kinds.get(name, "float32"))
            for name, s in conditions.items()
        }
        self._checkpoint = folder / "checkpoint.npz"
        self._step, self._window, self._blend = 0, 0, Blend(self._windows)
        if self._checkpoint.exists():
            self._restore()
        else:
            self._begin()

    @property
    def steps(self) -> int:
        return len(self._plan.sigmas) - 1

    @property
    def total(self) -> int:
        """Windows in all, over all steps."""
        return self.steps * len(self._windows)

    @property
    def done(self) -> int:
        return self._step * len(self._windows) + self._window

    def run(self, answer: Answer, on_window: OnWindow = lambda done, total: None) -> FrameStore:
        """Denoise all that is left; the store of the clean latents. May be interrupted anywhere and made anew."""
        while self._step < self.steps:
            first = self._window
            for index, denoised in enumerate(answer(self._requests(first)), start=first):
                self._take(index, denoised)
                on_window(self.done, self.total)
        return self._latents[self.steps % 2]

    def close(self) -> None:
        for store in (*self._latents, *self._estimates, *self._conditions.values()):
            store.close()

    def _begin(self) -> None:
        for window_start in range(0, self._frames, 16):
            stop = min(window_start + 16, self._frames)
            noise = self._noise(0, window_start, stop)
            self._latents[0].write(window_start, start(noise, self._plan.sigmas[0]))

    def _noise(self, step: int, begin: int, end: int) -> F32:
        return frame_noise(self._seed, step, begin, end, self._shape, self._plan.shared_noise)

    def _requests(self, first: int) -> Iterator[Request]:
        for window in self._windows[first:]:
            x = self._latents[self._step % 2].read(window.start, window.stop)
            condition = {name: store.read(window.start, window.stop) for name, store in self._conditions.items()}
            yield Request(x, self._plan.sigmas[self._step], condition)

    def _take(self, index: int, denoised: F32) -> None:
        """Blend one window's answer, step the frames that are now final, and write the checkpoint."""
        step = self._step
        old, new = self._latents[step % 2], self._latents[(step + 1) % 2]
        begin, final = self._blend.add(index, denoised)
        end = begin + len(final)
        previous = None
        if self._sampler.remembers:
            self._estimates[step % 2].write(begin, final)
            previous = self._estimates[(step + 1) % 2].read(begin, end) if step else None
        noise = self._noise(step + 1, begin, end)
        x = old.read(begin, end)
        new.write(begin, self._sampler.step(x, final, previous, self._plan.sigmas, step, noise))
        self._window = index + 1
        if self._window == len(self._windows):
            self._step, self._window, self._blend = step + 1, 0, Blend(self._windows)
        self._save(new)

    def _save(self, written: FrameStore) -> None:
        written.sync()
        if self._sampler.remembers:
            for store in self._estimates:
                store.sync()
        temporary = self._checkpoint.with_suffix(".part")
        with temporary.open("wb") as file:
            total, weight = self._blend.state()
            np.savez(file, step=self._step, window=self._window, total=total, weight=weight)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._checkpoint)

    def _restore(self) -> None:
        try:
            with np.load(self._checkpoint) as saved:
                self._step, self._window = int(saved["step"]), int(saved["window"])
                if self._window:
                    self._blend.restore(saved["total"], saved["weight"])
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as exc:
            raise OutputError(f"{self._checkpoint} is damaged; give --restart to begin this clip anew.") from exc
