"""What a diffusion run keeps on the disk until its output is whole: OUT.work, from which a killed run goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from livelight.errors import OutputError
from livelight.whole_file import write_whole


class WorkFolder:
    """The folder OUT.work beside an output. It goes when the output is whole, and stays for anything before that."""

    def __init__(self, target: Path, run: dict[str, Any], restart: bool) -> None:
        """Create it, or find the unfinished work of the same run in it.

        run: all that decides the result, as JSON values. restart: throw away what is there. Raises OutputError if
        the folder holds another run's work, or cannot be made.
        """
        self.path = target.with_name(target.name + ".work")
        self._note = self.path / "run.json"
        self._frames = self.path / "frames.json"
        try:
            if restart:
                shutil.rmtree(self.path, ignore_errors=True)
            if self._note.exists():
                self._check(run)
            else:
                self.path.mkdir(exist_ok=True)
                write_whole(self._note, (json.dumps(run, indent=1) + "\n").encode())
        except OSError as exc:
            raise OutputError(f"Cannot write {self.path}: {exc.strerror}; choose another output.") from exc

    def _check(self, run: dict[str, Any]) -> None:
        try:
            found = json.loads(self._note.read_text())
        except ValueError:
            found = {}
        other = sorted(key for key in run.keys() | found.keys() if run.get(key) != found.get(key))
        if other:
            raise OutputError(
                f"{self.path} holds unfinished work of another run (other {', '.join(other[:5])}); repeat that one to "
                "go on with it, or give --restart to throw it away."
            )

    @property
    def frames(self) -> int | None:
        """How many frames have been prepared; None until all are. Raises OutputError for a damaged folder."""
        if not self._frames.exists():
            return None
        try:
            return int(json.loads(self._frames.read_text()))
        except (OSError, ValueError) as exc:
            raise OutputError(f"{self._frames} is damaged; give --restart to begin this clip anew.") from exc

    def prepared(self, frames: int) -> None:
        """All frames are prepared."""
        write_whole(self._frames, json.dumps(frames).encode())

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
