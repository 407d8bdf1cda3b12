"""Command-line options made from a settings schema: its descriptions are the help text, its defaults the defaults."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

Settings = TypeVar("Settings", bound=BaseModel)

_SHORT = {"env": "-e", "force": "-f"}
_UNITS = ("_s", "_deg")


def option_name(field: str) -> str:
    """``--rotate-period`` for the field rotate_period_s: dashes, and no unit (the help names it)."""
    for unit in _UNITS:
        field = field.removesuffix(unit)
    return "--" + field.replace("_", "-")


def with_settings(
    schema: type[Settings], configured: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one option per field of ``schema``; the command receives them checked, as ``settings``.

    A value that the schema refuses is a usage error (exit status 2) that names its option. configured: the command's
    table in the configuration file, if it shall take defaults from there, and from the preset that --preset names.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**values: Any) -> None:
            command(settings=taken_settings(schema, values, configured), **values)

        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "settings"]
        added = [_parameter(name, field) for name, field in schema.model_fields.items()]
        if configured is not None:
            added += _STORED
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *added)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


def taken_settings(schema: type[Settings], values: dict[str, Any], configured: str | None) -> Settings:
    """The settings among a command's values, taken out of these, as with_settings says.

    Raises typer.BadParameter that names the option; SettingsError for the configuration file and the preset.
    """
    given = {name: values.pop(name) for name in schema.model_fields}
    chosen = {name: value for name, value in given.items() if value is not None and value is not False}
    if configured is not None:
        chosen = _defaults(configured, schema, values.pop("config"), values.pop("preset")) | chosen
    return parse_settings(schema, chosen)


def _defaults(command: str, schema: type[BaseModel], config: str | None, preset: str | None) -> dict[str, Any]:
    """What the configuration file says, and over it the preset. Raises SettingsError."""
    from livelight.config_file import read_config
    from livelight.preset_store import PresetStore

    values = read_config(command, schema, None if config is None else Path(config))
    return values | (PresetStore().load(preset) if preset is not None else {})


def parse_settings(schema: type[Settings], values: dict[str, Any]) -> Settings:
    """Check ``values`` against ``schema``; raises typer.BadParameter that names the option."""
    try:
        return schema(**values)
    except ValidationError as exc:
        fault = exc.errors()[0]
        name = str(fault["loc"][0]) if fault["loc"] else ""
        message = f"{fault['msg']}, got {fault['input']!r}."
        raise typer.BadParameter(message, param_hint=option_name(name) if name else None) from exc


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    flag = field.annotation is bool
    declared = [option_name(name)] + ([_SHORT[name]] if name in _SHORT else [])
    default = "" if flag or field.default is None else f" [default: {field.default}]"
    help_text = (field.description or "") + default
    option = typer.Option(*declared, help=help_text, show_default=False, metavar=None if flag else "VALUE")
    kind: Any = bool if flag else str | None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if flag else None,
        annotation=Annotated[kind, option],
    )


_STORED = [
    inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, typer.Option(help=help_text, show_default=False, metavar=metavar)],
    )
    for name, metavar, help_text in (
        ("preset", "NAME", "Start with a saved preset (see: livelight preset); other options come over it."),
        ("config", "FILE", "Configuration file in place of the usual one (config.toml in LiveLight's folder)."),
    )
]
"""Options of a command that takes defaults from the configuration file."""
