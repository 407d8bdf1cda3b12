"""Per-frame arrays in a file: a clip of any length costs disk, not memory."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from livelight.errors import InputError, OutputError

_F32 = np.dtype("<f4")


class FrameStore:
    """float32 arrays of one shape, one per frame, in one file; any of them can be read and written. One thread."""

    def __init__(self, path: Path, shape: tuple[int, ...], fresh: bool = False) -> None:
        """Open ``path``; ``fresh`` empties it. Raises OutputError."""
        self.path, self.shape = path, shape
        self._frame_bytes = _F32.itemsize * int(np.prod(shape))
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

    def read(self, start: int, stop: int) -> Tensor:
        """Frames start..stop-1: float32 (stop - start, *shape). Raises InputError if they are not there."""
        data = bytearray((stop - start) * self._frame_bytes)
        self._file.seek(start * self._frame_bytes)
        if self._file.readinto(data) != len(data):
            raise InputError(f"{self.path} lacks frames {start} to {stop - 1}; start this clip anew with --restart.")
        return torch.from_numpy(np.frombuffer(data, _F32).reshape(stop - start, *self.shape))

    def write(self, start: int, frames: Tensor) -> None:
        """Put float32 (n, *shape) at frames start..start+n-1. Raises OutputError, for a full disk too."""
        if tuple(frames.shape[1:]) != self.shape:
            raise ValueError(f"expected frames of shape {self.shape}, got {tuple(frames.shape[1:])}")
        data = memoryview(np.ascontiguousarray(frames.numpy(), _F32).tobytes())
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
