"""``livelight preset``: named presets of settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from livelight.config import LightSettings
from livelight.errors import SettingsError
from pipelines.options import with_settings

app = typer.Typer(
    help="Named presets: light, turn, exposure and background under one name, for livelight run --preset NAME.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]


@app.command("list")
def list_presets() -> None:
    """List the presets."""
    from livelight.preset_store import PresetStore

    store = PresetStore()
    names = store.names()
    for name in names:
        print(name)
    print(f"{len(names)} preset{'' if len(names) == 1 else 's'} in {store.folder}", file=sys.stderr)


@app.command()
def show(name: Name) -> None:
    """Print what a preset holds, as TOML."""
    import tomli_w

    from livelight.preset_store import PresetStore

    print(tomli_w.dumps(PresetStore().load(name)), end="")


@app.command()
@with_settings(LightSettings)
def save(name: Name, settings: LightSettings) -> None:
    """Save a preset, replacing one of the same name. Settings that are not given are not in it and stay as they are."""
    from livelight.light_program import build_lighting
    from livelight.preset_store import PresetStore

    values = settings.model_dump(exclude_unset=True)
    if not values:
        raise SettingsError(f"The preset {name} would be empty; give at least one setting, such as --env neon.")
    build_lighting(settings, None)  # what livelight relight would refuse is refused now; an older preset stays
    for field in ("env", "background"):
        if Path(values.get(field, "")).is_file():  # it will be used from another folder
            values[field] = str(Path(values[field]).resolve())
    PresetStore().save(name, values)


@app.command()
def remove(name: Name) -> None:
    """Remove a preset."""
    from livelight.preset_store import PresetStore

    PresetStore().remove(name)
