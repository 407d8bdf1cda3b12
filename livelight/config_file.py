"""The user's configuration file: defaults for the live commands, in TOML.

Fields of RelightSettings at the top hold for every live command, those in the table of a command for it alone::

    env = "window-left"

    [run]
    camera = "Logitech"

The command line overrides a preset, and a preset the file.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from livelight.config import RelightSettings
from livelight.config_folder import config_folder
from livelight.errors import SettingsError

COMMANDS = ("run", "serve")
"""Tables that a file may have."""


def default_config() -> Path:
    """Where the file lies if nobody says otherwise; it need not exist."""
    return config_folder() / "config.toml"


def read_config(command: str, schema: type[BaseModel], path: Path | None = None) -> dict[str, Any]:
    """What the file says for one of COMMANDS: fields of ``schema``, each in its range.

    path: None takes default_config, and no file there is no fault. Raises SettingsError that names file and field.
    """
    file = path or default_config()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        if path is None:
            return {}
        raise SettingsError(f"The configuration file {file} does not exist; check the name.") from exc
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SettingsError(f"The configuration file {file} cannot be read ({exc}); mend it or move it away.") from exc
    common = {name: value for name, value in content.items() if name not in COMMANDS}
    own = content.get(command, {})
    _check_names(file, common, set(RelightSettings.model_fields), "", (*RelightSettings.model_fields, *COMMANDS))
    if not isinstance(own, dict):
        raise SettingsError(f"{file}: {command} must be a table, [{command}].")
    _check_names(file, own, set(schema.model_fields), f"[{command}] ", tuple(schema.model_fields))
    values = {name: _as_given(value) for name, value in (common | own).items()}
    try:
        schema(**values)
    except ValidationError as exc:
        fault = exc.errors()[0]
        raise SettingsError(f"{file}: {fault['loc'][0]}: {fault['msg']}, got {fault['input']!r}.") from exc
    return values


def _check_names(file: Path, values: dict[str, Any], known: set[str], where: str, offered: tuple[str, ...]) -> None:
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, offered, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there is: {', '.join(offered)}."
            raise SettingsError(f"{file}: {where}{name} is no setting; {hint}")


def _as_given(value: Any) -> Any:
    """A number as it would be typed on the command line, so that rotate = 90 is as good as rotate = "90"."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
