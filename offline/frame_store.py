"""Per-frame arrays in a file: a clip of any length costs disk, not memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from livelight.errors import InputError, OutputError
from offline.denoiser import F32, Stored

_TYPES: dict[Stored, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2"), "unit": np.dtype("u1")}


def stored_bytes(stored: Stored) -> int:
    """Bytes that one value takes in a file."""
    return _TYPES[stored].itemsize


class FrameStore:
    """float32 arrays of one shape, one per frame, in one file; any of them can be read and written. One thread."""

    def __init__(self, path: Path, shape: tuple[int, ...], fresh: bool = False, stored: Stored = "float32") -> None:
        """Open ``path``; ``fresh`` empties it. Raises OutputError."""
        self.path, self.shape, self._stored = path, shape, stored
        self._frame_bytes = _TYPES[stored].itemsize * int(np.prod(shape))
        try:
            path.touch()
            self._file = path.open("r+b", buffering=0)
            if fresh:
                self._file.truncate(0)
        except OSError as exc:
            raise OutputError(f"Cannot write {path}: {exc.strerror}; choose another output folder.") from exc

    def __len__(self) -> int:
        """Whole frames stored."""
        return os.fstat(self._file.fileno()).st_size // self._frame_bytes

    def read(self, start: int, stop: int) -> F32:
        """Frames start..stop-1: float32 (stop - start, *shape). Raises InputError if they are not there."""
        data = bytearray((stop - start) * self._frame_bytes)
        self._file.seek(start * self._frame_bytes)
        if self._file.readinto(data) != len(data):
            raise InputError(f"{self.path} lacks frames {start} to {stop - 1}; start this clip anew with --restart.")
        values = np.frombuffer(data, _TYPES[self._stored]).reshape(stop - start, *self.shape)
        if self._stored == "unit":
            return values * np.float32(1 / 255)
        return values.astype(np.float32, copy=False)

    def write(self, start: int, frames: F32) -> None:
        """Put float32 (n, *shape) at frames start..start+n-1. Raises OutputError, for a full disk too."""
        if tuple(frames.shape[1:]) != self.shape:
            raise ValueError(f"expected frames of shape {self.shape}, got {tuple(frames.shape[1:])}")
        values = np.rint(frames * 255) if self._stored == "unit" else frames
        data = memoryview(np.ascontiguousarray(values.astype(_TYPES[self._stored], copy=False)).tobytes())
        self._file.seek(start * self._frame_bytes)
        try:
            while data.nbytes:
                data = data[self._file.write(data) :]
        except OSError as exc:
            raise OutputError(f"Writing {self.path} failed: {exc.strerror}; free some space and try again.") from exc

    def sync(self) -> None:
        """Bring what was written to the disk, before a checkpoint speaks of it."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


@contextmanager
def written(stores: Iterable[FrameStore]) -> Iterator[None]:
    """Stores that the block fills: on the disk when it ends well, closed however it ends."""
    stores = list(stores)
    try:
        yield
        for store in stores:
            store.sync()
    finally:
        for store in stores:
            store.close()
