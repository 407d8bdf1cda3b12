"""The file that figures go to (``--json``, ``--out``): those of an earlier run are replaced, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from livelight.errors import OutputError


def check_figures_file(path: Path, inputs: dict[str, Path | None], option: str = "--json") -> None:
    """Raise OutputError unless figures may be written to ``path``; ask before anything is measured.

    inputs: the files that are measured, by what the user calls them; those that are None or not there are passed over.
    A file that is there must hold JSON, or nothing; what is no ordinary file, such as /dev/stdout, is taken.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written; expected the name of a file in a folder that exists.")
    if not path.is_file():
        return
    for name, given in inputs.items():
        if given is not None and given.exists() and path.samefile(given):
            raise OutputError(f"{option} {path} is {name} itself, which is measured; choose another name.")
    if not _holds_json(path, option):
        raise OutputError(
            f"{option} {path} is there already and holds no figures as JSON; choose another name, or delete it."
        )


def _holds_json(path: Path, option: str) -> bool:
    """Whether a file is a JSON object, a list or empty; what begins otherwise, such as a clip, is not read whole."""
    try:
        with path.open("rb") as file:
            if file.read(64).lstrip()[:1] not in (b"{", b"[", b""):
                return False
            file.seek(0)
            content = file.read()
        if content:
            json.loads(content)
    except OSError as exc:
        raise OutputError(f"{option} {path} cannot be read ({exc.strerror}); choose another file.") from exc
    except (ValueError, RecursionError):
        return False
    return True
