"""What the doctor found out about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "problem"]
"""note: something optional is missing, or could be better. problem: what is there does not work, or nothing does."""


@dataclass(frozen=True, slots=True)
class Finding:
    """area: what part of the machine, such as "camera". what: one sentence or figure. mend: a command, or what to do;
    empty where nothing is to be done.
    """

    area: str
    level: Level
    what: str
    mend: str = ""


def ok(area: str, what: str) -> Finding:
    return Finding(area, "ok", what)


def note(area: str, what: str, mend: str = "") -> Finding:
    return Finding(area, "note", what, mend)


def problem(area: str, what: str, mend: str) -> Finding:
    return Finding(area, "problem", what, mend)
