"""Where a user's own files lie: the configuration and the named presets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from livelight.errors import OutputError
from livelight.whole_file import write_whole


def config_folder() -> Path:
    """LIVELIGHT_CONFIG, else the place where this system keeps configurations. It need not exist."""
    if chosen := os.environ.get("LIVELIGHT_CONFIG"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "livelight"


def write_setting_file(path: Path, content: bytes) -> None:
    """livelight.whole_file.write_whole for a file of the user's configuration. Raises OutputError."""
    try:
        write_whole(path, content)
    except OSError as exc:
        raise OutputError(
            f"{path} cannot be written ({exc.strerror}); free some space or mend the permissions, or set "
            "LIVELIGHT_CONFIG to another folder."
        ) from exc
