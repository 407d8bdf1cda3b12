"""A Device whose memory is the host's: it counts crossings, records graphs, and fails on demand."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

import numpy as np

from livelight.errors import RuntimeFailure


class FakeDevice:
    """fail_at: number of the call from which on every call fails, as when a GPU vanishes. memory: bytes there are.

    hang_in: what it hangs in until ``released`` is set; ``hangs`` is set meanwhile.
    """

    by_stream: dict[int, FakeDevice] = {}  # noqa: RUF012

    def __init__(self, capability: tuple[int, int] = (8, 9), memory: int = 1 << 33) -> None:
        self.name, self.capability = "Fake RTX", capability
        self.stream = len(FakeDevice.by_stream) + 1
        FakeDevice.by_stream[self.stream] = self
        self.memory = memory
        self.blocks: dict[int, np.ndarray] = {}
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self.recording: list[Callable[[], None]] | None = None
        self.uploads: list[int] = []
        self.downloads: list[int] = []
        self.launches = 0
        self.calls = 0
        self.fail_at: int | None = None
        self.hang_in: str | None = None
        self.hangs, self.released, self.freed = threading.Event(), threading.Event(), threading.Event()
        self.closed = False

    def _call(self, doing: str) -> None:
        assert not self.closed, f"{doing} on a closed device"
        self.calls += 1
        if self.fail_at is not None and self.calls >= self.fail_at:
            raise RuntimeFailure(f"the GPU failed in {doing} (unspecified launch failure)")
        if doing == self.hang_in:
            self.hangs.set()
            self.released.wait()

    def submit(self, work: Callable[[], None]) -> None:
        """What an engine puts on the stream."""
        self._call("the network")
        if self.recording is None:
            work()
        else:
            self.recording.append(work)

    def use(self) -> None:
        self._call("choosing the GPU")

    def allocate(self, size: int) -> int:
        self._call("allocating")
        if sum(b.nbytes for b in self.blocks.values()) + size > self.memory:
            raise RuntimeFailure("the GPU has not enough free memory for pictures; close other programs that use it")
        block = np.full(size + 256, 255, np.uint8)  # as floats: not a number
        address = -(-block.ctypes.data // 256) * 256
        self.blocks[address] = block
        return address

    def free(self, address: int) -> None:
        self._call("freeing")
        del self.blocks[address]

    def pinned(self, size: int) -> np.ndarray:
        self._call("pinning")
        return np.zeros(size, np.uint8)

    def upload(self, host: np.ndarray, address: int) -> None:
        self._call("the upload")
        self.uploads.append(host.nbytes)
        ctypes.memmove(address, host.ctypes.data, host.nbytes)

    def download(self, address: int, host: np.ndarray) -> None:
        self._call("the download")
        self.downloads.append(host.nbytes)
        ctypes.memmove(host.ctypes.data, address, host.nbytes)

    def copy(self, origin: int, to: int, size: int) -> None:
        self._call("keeping the state")
        ctypes.memmove(to, origin, size)

    def capture(self, work: Callable[[], None]) -> int:
        self._call("capturing")
        self.recording = []
        try:
            work()
            self.graphs[len(self.graphs)] = self.recording
        finally:
            self.recording = None
        return len(self.graphs) - 1

    def launch(self, graph: int) -> None:
        self._call("launching the graph")
        self.launches += 1
        for work in self.graphs[graph]:
            work()

    def release(self, graph: int) -> None:
        del self.graphs[graph]

    def mark(self) -> int:
        self._call("marking")
        return self.calls

    def elapsed_ms(self, start: int, end: int) -> float:
        return float(end - start)

    def synchronise(self) -> None:
        self._call("waiting for the picture")

    def close(self) -> None:
        self.closed = True
        self.freed.set()
