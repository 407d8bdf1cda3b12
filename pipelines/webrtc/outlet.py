"""From the engine's thread to a coroutine: the newest picture, never a queue."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from livelight.slot import Slot


@dataclass(frozen=True, slots=True)
class Relit:
    """A picture on its way out. image: uint8 (h, w, 3) sRGB; pts, time_base: the sender's; captured_s: monotonic.

    planes: as in livelight.frame.Frame.
    """

    image: NDArray[np.uint8]
    pts: int
    time_base: Fraction
    captured_s: float
    planes: NDArray[np.uint8] | None = None


class Outlet:
    """What one consumer gets. ``offer`` and ``close`` from any thread; ``take`` in the event loop it was made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._slot: Slot[Relit] = Slot()
        self._filled = asyncio.Event()
        self._waking = False

    @property
    def dropped(self) -> int:
        """Pictures that the consumer was too slow for."""
        return self._slot.dropped

    def offer(self, relit: Relit) -> None:
        """The newest picture; one that was not taken is dropped."""
        self._slot.put(relit)
        self._wake()

    def close(self) -> None:
        """No more pictures."""
        self._slot.finish()
        self._wake()

    async def take(self) -> Relit | None:
        """The next picture that is newer than the last; None at the end."""
        while True:
            self._filled.clear()
            relit = self._slot.get(timeout_s=0)
            if relit is not None or self._slot.finished:
                return relit
            await self._filled.wait()

    def _wake(self) -> None:
        if self._waking:  # one call is on its way already: a stalled loop gathers no more
            return
        self._waking = True
        try:
            self._loop.call_soon_threadsafe(self._woken)
        except RuntimeError:  # the loop is closed: nobody takes any more
            self._slot.finish()

    def _woken(self) -> None:
        self._waking = False
        self._filled.set()
