"""One resident path on a device: one upload, one engine step, one download; the states stay there.

The upload lies in one pinned buffer, in the order of live_inputs.INPUTS, and crosses in one copy; the backdrop, last in
it, is left out of the copy while it is the one that lies there already. A step is recorded once as a graph and then
replayed.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelight.errors import RuntimeFailure
from livelight.runtimes.device import BYTES, Device
from livelight.runtimes.live_inputs import INPUTS, PICTURE, STATES
from livelight.runtimes.tensorrt_runtime import Tensor, TensorRtEngine

log = logging.getLogger(__name__)

ALIGNMENT = 256
"""Bytes; what cudaMalloc gives and TensorRT asks of addresses."""


def offsets(tensors: Iterable[Tensor]) -> tuple[dict[str, int], int]:
    """Where each tensor begins in a buffer that holds them all in turn, and the buffer's size. Bytes."""
    begin, end = {}, 0
    for tensor in tensors:
        begin[tensor.name] = end
        end += -(-tensor.size // ALIGNMENT) * ALIGNMENT
    return begin, end


class DeviceState:
    """States of one step, in device memory of their own; the memory is used again when nobody holds this any more."""

    def __init__(self, address: int, pool: list[int]) -> None:
        self.address = address
        weakref.finalize(self, pool.append, address)


class LivePath:
    """Steps ``engine`` on ``device``; one thread.

    inputs: name -> array (n, ...) in pinned memory, to be written before ``step``. Raises RuntimeFailure for an engine
    whose tensors are not those of a live graph, and whatever the device raises.
    """

    def __init__(self, device: Device, engine: TensorRtEngine, use_graph: bool = True) -> None:
        self._device, self._engine = device, engine
        tensors = engine.tensors
        outputs = (PICTURE, *STATES.values())
        wanted = {*INPUTS, *STATES, *outputs}
        if not wanted - {"backdrop"} <= set(tensors) <= wanted:
            raise RuntimeFailure(
                f"the engine is no live path: expected the tensors {sorted(wanted)}, got {sorted(tensors)}"
            )
        crossing = [tensors[name] for name in INPUTS if name in tensors]
        at, size = offsets(crossing)
        self._staged, self._upload_at = device.pinned(size), device.allocate(size)
        self.inputs = {t.name: _view(self._staged[at[t.name] :], t) for t in crossing}
        self._without_backdrop = at.get("backdrop", size)
        states, self._state_size = offsets(tensors[name] for name in STATES)
        self._state_at, self._next_at = device.allocate(self._state_size), device.allocate(self._state_size)
        picture = tensors[PICTURE]
        self._picture, self._picture_at = device.pinned(picture.size), device.allocate(picture.size)
        self.picture: NDArray[np.uint8] = _view(self._picture, picture)
        addresses = {name: self._upload_at + at[name] for name in self.inputs}
        for name, following in STATES.items():
            addresses |= {name: self._state_at + states[name], following: self._next_at + states[name]}
        engine.bind(addresses | {PICTURE: self._picture_at})
        self._pool: list[int] = []
        self._graph = self._record() if use_graph else None

    def _record(self) -> int | None:
        self._device.upload(self._staged, self._upload_at)
        self._engine.enqueue()  # TensorRT asks for one step after the shapes are set, before a capture
        self._device.synchronise()
        self._engine.keep_kernels()
        if self._engine.capturable:
            return self._device.capture(self._engine.enqueue)
        log.warning("this engine cannot be recorded as a CUDA graph: every frame is enqueued anew, which is slower")
        return None

    def step(self, state: DeviceState | None, backdrop: bool) -> DeviceState:
        """Upload ``inputs`` (the backdrop only if told), run, download into ``picture``, wait.

        state: of any earlier step; None: ``knobs`` says that the stream is fresh. ``picture``, uint8 (n, ...), is good
        until the next step.
        """
        device = self._device
        device.upload(self._staged if backdrop else self._staged[: self._without_backdrop], self._upload_at)
        if state is not None:
            device.copy(state.address, self._state_at, self._state_size)
        self.run()
        after = DeviceState(self._pool.pop() if self._pool else device.allocate(self._state_size), self._pool)
        device.copy(self._next_at, after.address, self._state_size)
        device.download(self._picture_at, self._picture)
        device.synchronise()
        return after

    def read_states(self, state: DeviceState) -> dict[str, NDArray[np.float32]]:
        """Copies of the states by input name, for checks; a crossing of its own."""
        host = self._device.pinned(self._state_size)
        self._device.download(state.address, host)
        self._device.synchronise()
        tensors = [self._engine.tensors[name] for name in STATES]
        begin, _ = offsets(tensors)
        return {t.name: _view(host[begin[t.name] :], t).copy() for t in tensors}

    def run(self) -> None:
        """Only the engine's step, put on the stream."""
        if self._graph is None:
            self._engine.enqueue()
        else:
            self._device.launch(self._graph)

    def move_bytes(self) -> None:
        """Only the two crossings of a step without a new backdrop, put on the stream: what a step cannot go below."""
        self._device.upload(self._staged[: self._without_backdrop], self._upload_at)
        self._device.download(self._picture_at, self._picture)


def _view(memory: BYTES, tensor: Tensor) -> NDArray[Any]:
    return memory[: tensor.size].view(tensor.dtype).reshape(tensor.shape)
