"""Named presets of settings, one TOML file each, that a user saves and takes up again.

Not to be mixed up with the studio presets of ``livelight envs``, which are lights: a preset here is a whole look
(light, turn, exposure, background and so on), or any part of LightSettings.
"""

from __future__ import annotations

import difflib
import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from livelight.config import LightSettings
from livelight.config_folder import config_folder, write_setting_file
from livelight.errors import OutputError, SettingsError

LONGEST_NAME = 64
"""Characters."""

_MARKS = " -_."
_NOT_ON_WINDOWS = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


class PresetStore:
    """A folder of presets. Several threads and processes may use it: every file is replaced as a whole.

    Names: 1 to 64 letters, digits, spaces and ``- _ .``, beginning with a letter or digit, compared without case; so
    that every name is a file name on every system and can never lead out of the folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """folder: where the files lie; None takes presets/ in livelight.config_folder. It is made by the first save."""
        self.folder = folder or config_folder() / "presets"

    def names(self) -> list[str]:
        """All presets, in the order of the alphabet; damaged files included."""
        return sorted((path.stem for path in self._files()), key=str.casefold)

    def holds(self, name: str) -> bool:
        """Whether preset ``name`` is there. Raises SettingsError for what is no name."""
        return self._find(self._clean(name)) is not None

    def load(self, name: str) -> dict[str, Any]:
        """The settings that preset ``name`` holds, checked: fields of LightSettings, perhaps not all.

        Raises SettingsError for a name that is not there (with near ones) and for a damaged file.
        """
        path = self._existing(name)
        try:
            return checked(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, SettingsError) as exc:
            raise SettingsError(f"The preset {path} cannot be used ({exc}); edit the file or save it anew.") from exc

    def save(self, name: str, settings: LightSettings | Mapping[str, Any]) -> dict[str, Any]:
        """Write preset ``name``, replacing an older one; gives what was written. Raises SettingsError, OutputError.

        Of LightSettings (or what is derived from them) all fields of LightSettings are kept; of a mapping, those in it.
        """
        if isinstance(settings, LightSettings):
            settings = {field: getattr(settings, field) for field in LightSettings.model_fields}
        values = checked(settings)
        name = self._clean(name)
        old = self._find(name)
        write_setting_file(old or self.folder / f"{name}.toml", tomli_w.dumps(values).encode())
        return values

    def remove(self, name: str) -> None:
        """Raises SettingsError if there is no such preset, OutputError if it may not be removed."""
        path = self._existing(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return  # another program was faster
        except OSError as exc:
            raise OutputError(f"{path} cannot be removed ({exc.strerror}).") from exc

    def _files(self) -> list[Path]:
        return [p for p in self.folder.glob("*.toml") if not p.name.startswith(".")]

    def _find(self, name: str) -> Path | None:
        return next((p for p in self._files() if _key(p.stem) == _key(name)), None)

    def _existing(self, name: str) -> Path:
        path = self._find(self._clean(name))
        if path is None:
            near = difflib.get_close_matches(name, self.names(), n=2, cutoff=0.5) or self.names()[:5]
            hint = f"there is {', '.join(near)}" if near else "none is saved yet"
            raise SettingsError(f"There is no preset {name}; {hint}.")
        return path

    @staticmethod
    def _clean(name: str) -> str:
        """The name as it is stored; raises SettingsError for one that may not be."""
        name = unicodedata.normalize("NFC", name.strip())
        wrong = [c for c in name if not (c.isalnum() or c in _MARKS)]
        shape = 0 < len(name) <= LONGEST_NAME and name[0].isalnum() and not name.endswith(".")
        if wrong or not shape or name.split(".")[0].strip().casefold() in _NOT_ON_WINDOWS:
            raise SettingsError(
                f"'{name[: LONGEST_NAME + 1]}' is no name for a preset: expected 1 to {LONGEST_NAME} letters, digits, "
                "spaces, - _ or dots, beginning with a letter or digit."
            )
        return name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` as LightSettings understands them, in its order; raises SettingsError that names the field."""
    try:
        settings = LightSettings.model_validate(dict(values))
    except ValidationError as exc:
        fault = exc.errors()[0]
        field = ".".join(map(str, fault["loc"][:1]))
        raise SettingsError(f"{field}: {fault['msg']}, got {str(fault['input'])[:80]!r}") from exc
    return settings.model_dump(exclude_unset=True)
