"""The facts that the doctor asks of a machine; tests give it machines that are broken."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from livelight.sources.camera_list import Camera
    from trt_engines.store import Entry

COMMAND_S = 20.0
"""A command that does not answer in this time counts as absent."""


class Machine(Protocol):
    """Facts, as text. Nothing raises: what cannot be read is None or empty."""

    system: str
    """Linux, Darwin or Windows, as platform.system() says."""
    processor: str
    """x86_64, arm64 ..., as platform.machine() says."""
    python: str
    """Version of Python."""

    def text(self, path: str) -> str | None:
        """Content of a text file; bytes that are no UTF-8 are replaced."""
        ...

    def names(self, folder: str) -> list[str]:
        """What lies in a folder, sorted."""
        ...

    def usable(self, path: str) -> bool:
        """Whether this user may read and write it."""
        ...

    def run(self, *command: str) -> str | None:
        """What a command prints, None if it is not there or fails."""
        ...

    def variable(self, name: str) -> str:
        """An environment variable."""
        ...

    def package(self, name: str) -> str | None:
        """Version of an installed Python package."""
        ...

    def cameras(self) -> list[Camera]:
        """All cameras that the system lists, virtual ones too."""
        ...

    def engines(self) -> list[Entry]:
        """TensorRT engines in the cache."""
        ...


class ThisMachine:
    """The machine we run on (Machine)."""

    def __init__(self) -> None:
        self.system = platform.system()
        self.processor = platform.machine()
        self.python = platform.python_version()

    def text(self, path: str) -> str | None:
        try:
            return Path(path).read_bytes().decode(errors="replace")
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(folder))
        except OSError:
            return []

    def usable(self, path: str) -> bool:
        return os.access(path, os.R_OK | os.W_OK)

    def run(self, *command: str) -> str | None:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=COMMAND_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def variable(self, name: str) -> str:
        return os.environ.get(name, "")

    def package(self, name: str) -> str | None:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None

    def cameras(self) -> list[Camera]:
        from livelight.errors import DeviceError
        from livelight.sources.camera_list import list_cameras

        try:
            return list_cameras()
        except DeviceError:
            return []

    def engines(self) -> list[Entry]:
        from trt_engines.store import Store

        return Store().entries()
