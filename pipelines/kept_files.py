"""What a run reads, it never replaces, whatever --force says."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel

from livelight.errors import OutputError
from pipelines.options import option_name

READ = ("camera", "env", "background", "model", "weights", "ic_light", "base", "light_weights")
"""Settings that may name a file to read, of whatever command."""


def refuse_to_replace(target: Path, what: str, inputs: list[Path], settings: BaseModel | None) -> None:
    """Raise OutputError if ``target`` is a file that is read, by whatever name or link, or a folder that holds one.

    what: how the sentence calls the target, "The output". inputs: files of the command line; those that ``settings``
    name are found here.
    """
    if not os.path.exists(target):  # Path.exists raises for a name that is too long
        return
    for path in inputs:
        if _holds(target, path):
            raise OutputError(f"{what} {target} is the input {path} itself; choose another name.")
    for name in READ:
        given = getattr(settings, name, None)
        if given and _holds(target, Path(given)):
            raise OutputError(f"{what} {target} is the file of {option_name(name)} itself; choose another name.")


def _holds(target: Path, read: Path) -> bool:
    """Whether writing ``target`` replaces ``read``: the same file, or one in the folder that an --extra replaces."""
    if not os.path.exists(read):
        return False
    if not target.is_dir():
        return target.samefile(read)
    return target.resolve() in (read.resolve(), *read.resolve().parents)
