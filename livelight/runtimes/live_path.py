"""One resident path on a device: one upload, one engine step, one download; the states stay there. For one stream, or
for the pictures of several at once.

The upload lies in one pinned buffer, in the order of live_inputs.INPUTS, and crosses in one copy; the backdrop, last in
it, is left out of the copy while it is the one that lies there already. The download holds the relit picture, and
behind it the same as I420 for who asks. A step is recorded once as a graph and then replayed.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelight.errors import RuntimeFailure
from livelight.runtimes.device import BYTES, Device
from livelight.runtimes.live_inputs import INPUTS, PICTURE, PLANES, STATES
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
    """States of one stream after a step, in device memory of their own, which is used again when nobody holds this."""

    def __init__(self, address: int, pool: list[int]) -> None:
        self.address = address
        weakref.finalize(self, pool.append, address)


class LivePath:
    """Steps ``engine`` on ``device``; one thread.

    inputs: name -> array (n, ...) in pinned memory, to be written before ``step``; n is the engine's streams. picture:
    uint8 (n, h, w, 3); planes: the same as I420, uint8 (n, 3 h / 2, w), None where a side is odd; both are good until
    the next step. Raises RuntimeFailure for an engine whose tensors are not those of a live graph, and whatever the
    device raises.
    """

    def __init__(self, device: Device, engine: TensorRtEngine, use_graph: bool = True) -> None:
        self._device, self._engine = device, engine
        tensors = engine.tensors
        wanted = {*INPUTS, *STATES, PICTURE, PLANES, *STATES.values()}
        if not wanted - {"backdrop", PLANES} <= set(tensors) <= wanted:
            raise RuntimeFailure(
                f"the engine is no live path: expected the tensors {sorted(wanted)}, got {sorted(tensors)}"
            )
        crossing = [tensors[name] for name in INPUTS if name in tensors]
        at, size = offsets(crossing)
        self._staged, self._upload_at = device.pinned(size), device.allocate(size)
        self.inputs = {t.name: _view(self._staged[at[t.name] :], t) for t in crossing}
        self._without_backdrop = at.get("backdrop", size)
        states, size = offsets(tensors[name] for name in STATES)
        self._state_at, self._next_at = device.allocate(size), device.allocate(size)
        self._streams = tensors[PICTURE].shape[0]
        self._single = [replace(tensors[name], shape=(1, *tensors[name].shape[1:])) for name in STATES]
        self._single_at, self._state_size = offsets(self._single)
        self._pieces = [(self._single_at[t.name], states[t.name], t.size) for t in self._single]
        pictures = [tensors[name] for name in (PICTURE, PLANES) if name in tensors]
        shown, size = offsets(pictures)
        self._shown, self._shown_at = device.pinned(size), device.allocate(size)
        views: dict[str, NDArray[np.uint8]] = {t.name: _view(self._shown[shown[t.name] :], t) for t in pictures}
        self.picture, self.planes = views[PICTURE], views.get(PLANES)
        self._without_planes = tensors[PICTURE].size
        addresses = {name: self._upload_at + at[name] for name in self.inputs}
        for name, following in STATES.items():
            addresses |= {name: self._state_at + states[name], following: self._next_at + states[name]}
        engine.bind(addresses | {name: self._shown_at + begin for name, begin in shown.items()})
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

    def step(self, state: DeviceState | None, backdrop: bool, planes: bool = False) -> DeviceState:
        """``step_each`` for a path of one stream. backdrop: whether it is new."""
        return self.step_each([state], (0,) if backdrop else (), planes)[0]

    def step_each(
        self, states: Sequence[DeviceState | None], backdrops: Sequence[int], planes: bool = False
    ) -> list[DeviceState]:
        """Upload ``inputs``, run, download ``picture`` (and ``planes`` if told), wait. A state for each stream.

        states: of any earlier step of each stream, on any path for frames of this size on this device; None: ``knobs``
        says that the stream is fresh. backdrops: numbers of the streams whose backdrop is new; no other is uploaded.
        """
        device = self._device
        self._upload(backdrops)
        for number, state in enumerate(states):
            if state is not None:
                self._move_state(number, state, to_slot=True)
        self.run()
        after = [DeviceState(self._room_for_state(), self._pool) for _ in states]
        for number, state in enumerate(after):
            self._move_state(number, state, to_slot=False)
        self._download(planes)
        device.synchronise()
        return after

    def _download(self, planes: bool) -> None:
        self._device.download(self._shown_at, self._shown if planes else self._shown[: self._without_planes])

    def _upload(self, backdrops: Sequence[int]) -> None:
        """All but the backdrops in one piece; all in one where all are new."""
        every = len(backdrops) == self._streams
        self._device.upload(self._staged if every else self._staged[: self._without_backdrop], self._upload_at)
        for number in () if every else backdrops:
            size = self.inputs["backdrop"][number].nbytes
            begin = self._without_backdrop + number * size
            self._device.upload(self._staged[begin : begin + size], self._upload_at + begin)

    def _room_for_state(self) -> int:
        return self._pool.pop() if self._pool else self._device.allocate(self._state_size)

    def _move_state(self, number: int, state: DeviceState, to_slot: bool) -> None:
        """Between one stream's own memory and its place among the engine's inputs, or outputs."""
        if self._streams == 1:
            pair = (state.address, self._state_at) if to_slot else (self._next_at, state.address)
            self._device.copy(*pair, self._state_size)
            return
        for own, begin, size in self._pieces:
            if to_slot:
                self._device.copy(state.address + own, self._state_at + begin + number * size, size)
            else:
                self._device.copy(self._next_at + begin + number * size, state.address + own, size)

    def read_states(self, state: DeviceState) -> dict[str, NDArray[np.float32]]:
        """Copies of the states by input name, for checks; a crossing of its own."""
        host = self._device.pinned(self._state_size)
        self._device.download(state.address, host)
        self._device.synchronise()
        return {t.name: _view(host[self._single_at[t.name] :], t).copy() for t in self._single}

    def run(self) -> None:
        """Only the engine's step, put on the stream."""
        if self._graph is None:
            self._engine.enqueue()
        else:
            self._device.launch(self._graph)

    def move_bytes(self) -> None:
        """Only the two crossings of a step without a new backdrop, put on the stream: what a step cannot go below."""
        self._device.upload(self._staged[: self._without_backdrop], self._upload_at)
        self._download(planes=False)


def _view(memory: BYTES, tensor: Tensor) -> NDArray[Any]:
    return memory[: tensor.size].view(tensor.dtype).reshape(tensor.shape)
