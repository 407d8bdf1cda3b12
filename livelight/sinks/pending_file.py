"""A file that gets its name only when it is whole."""

from __future__ import annotations

import glob
import os
import time
from itertools import count
from pathlib import Path

from livelight.errors import OutputError

QUIET_S = 60.0
"""A file that was written within so many seconds may belong to a process of another container: it stays."""


class PendingFile:
    """Reserves ``path``: content goes to ``temporary`` in the same folder, ``commit`` renames it.

    The final name therefore never holds half a file, whatever kills the process. A killed process leaves
    ``.NAME.PID.part``, which may be deleted; the next one that writes the same file does so.
    """

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        """Create the temporary file; raises OutputError if the place cannot be written or is taken."""
        self.path = path
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        if path.is_dir():
            raise OutputError(f"{path} is a folder, expected the name of a file to write.")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists already; choose another name or give --force to replace it.")
        if not path.parent.is_dir():
            raise OutputError(f"The folder {path.parent} does not exist; create it or choose another output.")
        try:
            remove_left_over(path)
            self.temporary.touch()
        except OSError as exc:
            raise OutputError(f"Cannot write into {path.parent}: {exc.strerror}; choose another output.") from exc

    def commit(self) -> Path:
        """Give the temporary file its final name."""
        return self._rename(self.path)

    def commit_partial(self) -> Path:
        """Name a playable but incomplete result NAME.partial.EXT, or NAME.partial-2.EXT and so on: nothing is replaced.

        Returns the name that was free.
        """
        for number in count(1):
            again = "" if number == 1 else f"-{number}"
            name = self.path.with_name(f"{self.path.stem}.partial{again}{self.path.suffix}")
            try:
                name.touch(exist_ok=False)  # ours from here on, also if another process looks for a name
            except FileExistsError:
                continue
            except OSError as exc:
                raise self._unnamed(name, exc) from exc
            return self._rename(name)
        raise AssertionError

    def discard(self) -> None:
        self.temporary.unlink(missing_ok=True)

    def _rename(self, name: Path) -> Path:
        try:
            os.replace(self.temporary, name)
        except OSError as exc:
            raise self._unnamed(name, exc) from exc
        return name

    def _unnamed(self, name: Path, exc: OSError) -> OutputError:
        return OutputError(f"Cannot name the result {name}: {exc.strerror}; it lies in {self.temporary}.")


def remove_left_over(path: Path) -> None:
    """Remove what processes that were killed while they wrote ``path`` left beside it. Linux and macOS."""
    if os.name != "posix":  # elsewhere asking after a process ends it
        return
    for old in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        number = old.name.removesuffix(".part").rpartition(".")[2]
        if (
            old.is_file()
            and number.isdigit()
            and not _lives(int(number))
            and time.time() - old.stat().st_mtime > QUIET_S
        ):
            old.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
