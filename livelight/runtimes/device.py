"""What the live path needs of a GPU: memory, copies, one stream of work, a recorded graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BYTES = NDArray[np.uint8]


class Device(Protocol):
    """One GPU with one stream, on which all work stands in line. One thread.

    Addresses are device addresses in bytes; sizes are bytes. Copies and launches return at once, ``synchronise`` waits.
    Every method raises RuntimeFailure, with one sentence, when the driver reports an error; after one that says the
    device is lost no other call is of use but ``close``, which never raises.
    """

    name: str
    """As the driver calls it."""

    capability: tuple[int, int]
    """Compute capability (major, minor)."""

    stream: int
    """Handle for engines that enqueue on it; not the default stream."""

    def use(self) -> None:
        """Make it the device of the calling thread; to be called before a piece of work."""
        ...

    def allocate(self, size: int) -> int:
        """Device memory, not cleared; freed by ``free`` or ``close``."""
        ...

    def free(self, address: int) -> None: ...

    def pinned(self, size: int) -> BYTES:
        """Page-locked host memory, uint8 (size,); valid until ``close``."""
        ...

    def upload(self, host: BYTES, address: int) -> None:
        """All of a contiguous pinned array to the device; it must not be written into before ``synchronise``."""
        ...

    def download(self, address: int, host: BYTES) -> None:
        """From the device into all of a contiguous pinned array; readable after ``synchronise``."""
        ...

    def copy(self, origin: int, to: int, size: int) -> None:
        """From device memory to device memory."""
        ...

    def capture(self, work: Callable[[], None]) -> int:
        """Record what ``work`` puts on the stream, addresses included, without running it: a graph."""
        ...

    def launch(self, graph: int) -> None:
        """Run a recorded graph."""
        ...

    def release(self, graph: int) -> None:
        """Forget a recorded graph."""
        ...

    def mark(self) -> int:
        """A point in the line of work, for ``elapsed_ms``."""
        ...

    def elapsed_ms(self, start: int, end: int) -> float:
        """Milliseconds on the device between two marks that are both passed; forgets both."""
        ...

    def synchronise(self) -> None:
        """Wait until the stream is empty; errors of the work show here."""
        ...

    def close(self) -> None:
        """Free all; the device is of no more use."""
        ...
