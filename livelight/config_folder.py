"""Where a user's own files lie: the configuration and the named presets."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from livelight.errors import OutputError


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


def write_whole(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``, wholly or not at all, also if the power fails; folders are made.

    Raises OutputError.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as exc:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written ({exc.strerror}); free some space or mend the permissions, or set "
            "LIVELIGHT_CONFIG to another folder."
        ) from exc
