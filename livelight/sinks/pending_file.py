"""A file that gets its name only when it is whole."""

from __future__ import annotations

import os
from pathlib import Path

from livelight.errors import OutputError


class PendingFile:
    """Reserves ``path``: content goes to ``temporary`` in the same folder, ``commit`` renames it.

    The final name therefore never holds half a file, whatever kills the process. A killed process leaves
    ``.NAME.PID.part``, which may be deleted.
    """

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        """Create the temporary file; raises OutputError if the place cannot be written or is taken."""
        self.path = path
        self.partial_path = path.with_name(f"{path.stem}.partial{path.suffix}")
        """The name for a playable but incomplete result (Ctrl-C, input that breaks off)."""
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        if path.is_dir():
            raise OutputError(f"{path} is a folder, expected the name of a file to write.")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists already; choose another name or give --force to replace it.")
        if not path.parent.is_dir():
            raise OutputError(f"The folder {path.parent} does not exist; create it or choose another output.")
        try:
            self.temporary.touch()
        except OSError as exc:
            raise OutputError(f"Cannot write into {path.parent}: {exc.strerror}; choose another output.") from exc

    def commit(self) -> Path:
        """Give the temporary file its final name."""
        return self._rename(self.path)

    def commit_partial(self) -> Path:
        """Give the temporary file the name ``partial_path``, replacing an older one."""
        return self._rename(self.partial_path)

    def discard(self) -> None:
        self.temporary.unlink(missing_ok=True)

    def _rename(self, name: Path) -> Path:
        try:
            os.replace(self.temporary, name)
        except OSError as exc:
            raise OutputError(f"Cannot name the result {name}: {exc.strerror}; it lies in {self.temporary}.") from exc
        return name
