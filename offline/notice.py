"""Licences of weights that others trained: said once per user, and again whenever asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

NOTICES = {
    "relightvid": "RelightVid's weights are CC BY-NC-SA 4.0: no commercial use, name the authors (Fang et al., "
    "RelightVid, arXiv 2501.16330), share alike. They rest on IC-Light and Stable Diffusion (creativeml-openrail-m: "
    "no harmful use).",
    "ic-light": "IC-Light's weights and Stable Diffusion 1.5 are creativeml-openrail-m: commercial use is allowed, "
    "harmful use is not.",
}


def notice_file(family: str) -> Path:
    """Where it is written down that a user has seen a notice."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "livelight" / f"{family}-licence-shown"


def show_once(family: str, say: Callable[[str], None]) -> None:
    """Say the notice of a model family, the first time only; where nothing can be written down, every time."""
    mark = notice_file(family)
    if mark.exists():
        return
    say(NOTICES[family])
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(NOTICES[family] + "\n")
    except OSError:
        return  # it will be shown again: harmless
