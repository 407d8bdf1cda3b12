"""Built engines in the user's cache: one file per spec, named by its key, written whole or not at all.

Beside KEY.engine lie KEY.verified (a report that names the engine's checksum), KEY.jit (kernels that the RTX flavour
compiled on first use) and KEY.lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from livelight.errors import OutputError, RuntimeFailure
from livelight.runtimes.engine_file import AGAIN, EngineFile, read_engine
from livelight.whole_file import write_whole
from trt_engines.file_lock import locked
from trt_engines.spec import EngineSpec


def default_folder() -> Path:
    """LIVELIGHT_CACHE/engines, else the place where this system keeps caches."""
    if chosen := os.environ.get("LIVELIGHT_CACHE"):
        return Path(chosen) / "engines"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "livelight" / "engines"


@dataclass(frozen=True)
class Entry:
    """A file of the store. spec: None where ``fault`` says why it is unusable. size: bytes."""

    path: Path
    spec: EngineSpec | None
    size: int
    build_s: float
    verified: bool
    fault: str = ""


class Store:
    """A folder of engines; several processes may use it at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def path(self, spec: EngineSpec) -> Path:
        """Where the engine of ``spec`` lies or would lie."""
        return self.folder / f"{spec.key}.engine"

    def lock(self, spec: EngineSpec, on_wait: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """Held by who builds the engine of ``spec``."""
        return locked(self.folder / f"{spec.key}.lock", on_wait)

    def find(self, spec: EngineSpec) -> EngineFile | None:
        """The engine of ``spec``, None if there is none. Raises RuntimeFailure for a damaged or foreign file."""
        path = self.path(spec)
        if not path.exists():
            return None
        file = read_engine(path)
        if json.loads(file.spec) != json.loads(spec.text()):
            raise RuntimeFailure(f"{path} was made for something else than its name says; {AGAIN}")
        return file

    def put(self, spec: EngineSpec, engine: bytes, build_s: float) -> Path:
        """Write whole or not at all; what belonged to an older engine goes. Raises OutputError."""
        path = self.path(spec)
        self._write(path, EngineFile(spec.text(), engine, build_s).to_bytes(), stale=(".verified", ".jit"))
        return path

    def _write(self, path: Path, content: bytes, stale: tuple[str, ...] = ()) -> None:
        """Write by renaming; files beside ``path`` with the suffixes ``stale`` are removed first."""
        try:
            for suffix in stale:
                path.with_suffix(suffix).unlink(missing_ok=True)
            write_whole(path, content)
        except OSError as exc:
            raise OutputError(
                f"the engine cache {self.folder} cannot be written ({exc.strerror}); free some space, or set "
                "LIVELIGHT_CACHE to another folder"
            ) from exc

    def set_verified(self, spec: EngineSpec, report: dict[str, float]) -> None:
        """Note that the engine of ``spec`` as it lies there passed. Raises OutputError."""
        content = {"sha256": _checksum(self.path(spec)), **report}
        self._write(self.path(spec).with_suffix(".verified"), json.dumps(content, indent=1).encode())

    def is_verified(self, spec: EngineSpec) -> bool:
        """Whether the engine that lies there is the one that passed."""
        return _verified(self.path(spec))

    def entries(self) -> list[Entry]:
        """All engine files, damaged ones included, oldest first."""
        paths = sorted(self.folder.glob("*.engine"), key=lambda p: p.stat().st_mtime)
        return [_entry(path) for path in paths]

    def clear(self) -> int:
        """Remove every engine and what belongs to it; gives the number of engines. Raises OutputError."""
        count = len(list(self.folder.glob("*.engine")))
        try:
            for suffix in ("engine", "verified", "jit", "lock", "new"):
                for path in self.folder.glob(f"*.{suffix}"):
                    path.unlink(missing_ok=True)
        except OSError as exc:
            raise OutputError(f"the engine cache {self.folder} cannot be cleared ({exc.strerror})") from exc
        return count


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _verified(path: Path) -> bool:
    try:
        return bool(json.loads(path.with_suffix(".verified").read_bytes())["sha256"] == _checksum(path))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _entry(path: Path) -> Entry:
    size = path.stat().st_size
    try:
        file = read_engine(path)
        spec = EngineSpec.from_text(file.spec)
    except RuntimeFailure as exc:
        return Entry(path, None, size, 0.0, False, str(exc))
    except (ValueError, KeyError, TypeError):
        return Entry(path, None, size, 0.0, False, f"{path} was written by another version of LiveLight; {AGAIN}")
    return Entry(path, spec, size, file.build_s, _verified(path))
