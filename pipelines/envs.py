"""``livelight envs``: which lights there are, what they look like, and a copy of one to edit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table

from livelight.config import LightSettings
from livelight.environment import Environment
from livelight.errors import LightError, OutputError
from livelight.light_source import VideoLight, open_light
from livelight.picture_file import kind_of
from livelight.rig import load_preset, load_rig, preset_text, rig_names
from livelight.sources.picture import PICTURE_SUFFIXES
from pipelines.clip import say

SUFFIXES = (".hdr", ".exr", ".png", ".jpg", ".jpeg", ".webp", ".toml", ".mp4", ".mov", ".mkv", ".webm")
"""What is taken from a folder."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One environment: what ``--env`` calls it, its kind, and a line about it."""

    env: str
    kind: str
    summary: str


def envs_command(paths: list[Path], sheet: Path | None, copy: tuple[str, Path] | None, face: Path | None) -> None:
    """List the presets, or the environments in ``paths`` (files and folders); draw or copy if asked.

    sheet: new file for the contact sheet (.png, .jpg, .webp). copy: preset name and the file to write it to.
    face: picture or clip of the person on the sheet; None = the demo clip. Raises LiveLightError.
    """
    console = Console()
    if copy is not None:
        name, target = copy
        copy_preset(name, target)
        console.print(f"Wrote {target}: edit it, and use it with --env {target}", highlight=False)
        return
    listed = listed_files(paths) if paths else listed_presets()
    if sheet is None:
        console.print(_table(listed))
        return
    draw_sheet(listed, sheet, face)
    console.print(f"Wrote {sheet}: {len(listed)} environments", highlight=False)


def listed_presets() -> list[Listed]:
    """The presets that ship with LiveLight."""
    return [Listed(name, "rig", load_preset(name).summary) for name in rig_names()]


def listed_files(paths: list[Path]) -> list[Listed]:
    """The environments that files are and folders hold (not their sub-folders).

    Raises LightError for a file that is none, and for a folder that holds none.
    """
    found: list[Listed] = []
    for path in paths:
        found += _in_folder(path) if path.is_dir() else [_listed(path)]
    return found


def _in_folder(folder: Path) -> list[Listed]:
    """The environments among a folder's files; what is none is told and left out."""
    found = []
    try:
        for path in sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES):
            try:
                found.append(_listed(path))
            except LightError as exc:
                say(f"{exc} It is left out.")
    except OSError as exc:
        raise LightError(f"{folder} cannot be read ({exc.strerror}); mend its permissions.") from exc
    if not found:
        raise LightError(f"{folder}: no environments there; known are {' '.join(SUFFIXES)} files.")
    return found


def _listed(path: Path) -> Listed:
    """Its line; the file is opened as --env opens it, for what is listed can be used. Raises LightError."""
    env = str(path)
    if env in rig_names():
        return Listed(env, "rig", load_preset(env).summary)
    try:
        light = open_light(env, LightSettings().fov_deg)
    except OSError as exc:
        raise LightError(f"{path} cannot be read ({exc.strerror}); check the file.") from exc
    if light.photo is not None:
        light.photo.close()
    if path.suffix.lower() == ".toml":
        return Listed(env, "rig", load_rig(path).summary)
    if isinstance(light, VideoLight):
        return Listed(env, "video", "light estimated from each frame")
    if light.photo is not None:
        return Listed(env, "picture", "light estimated")
    form = {"hdr": "Radiance HDR", "exr": "OpenEXR"}.get(kind_of(path) or "", "8 bits: highlights estimated")
    return Listed(env, "panorama", form)


def copy_preset(name: str, target: Path) -> None:
    """Write a preset's TOML to a new .toml file. Raises LightError for an unknown name, OutputError for the place."""
    text = preset_text(name)
    if target.suffix.lower() != ".toml":  # by that --env knows a rig
        raise OutputError(f"A rig is a .toml file, not {target.name!r}; call it {target.stem or name}.toml.")
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutputError(f"{target} is there already; choose another name.") from None
    except OSError as error:
        raise OutputError(f"{target} cannot be written ({error.strerror}).") from error


def draw_sheet(listed: list[Listed], target: Path, face: Path | None) -> None:
    """Draw the contact sheet of these environments, exposed as standard, into a new picture file."""
    from pipelines.contact_sheet import Entry, contact_sheet
    from pipelines.relit_face import demo_clip, open_face

    if target.suffix.lower() not in PICTURE_SUFFIXES or not target.absolute().parent.is_dir():
        raise OutputError(f"{target}: expected a {' '.join(PICTURE_SUFFIXES)} file in a folder that exists.")
    if target.exists():
        raise OutputError(f"--sheet {target} is there already; choose another name.")
    entries = []
    for item in listed:
        panorama = open_light(item.env, LightSettings().fov_deg).at(0.0)
        entries.append(Entry(Path(item.env).stem, item.summary, Environment(panorama).exposed(0.0)))
    picture = contact_sheet(entries, open_face(face or demo_clip()))
    if not cv2.imwrite(str(target), picture[:, :, ::-1]):
        raise OutputError(f"{target} cannot be written; check that the folder may be written to and has room.")


def _table(listed: list[Listed]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "kind", "light"):
        table.add_column(heading)
    for item in listed:
        table.add_row(item.env, item.kind, item.summary)
    return table
