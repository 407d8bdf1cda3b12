"""Rig: studio lights in the words of photographers, read from small TOML files."""

from __future__ import annotations

import difflib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from livelight.blackbody import HIGHEST_K, LOWEST_K
from livelight.errors import LightError

Kind = Literal["softbox", "strip", "window", "monitor", "umbrella", "ring", "bulb", "spot", "sun"]

RECTANGULAR = ("softbox", "strip", "window", "monitor")

MAX_BYTES = 65536
"""A rig file is a page of text; a larger file is refused unread."""


class Coloured(BaseModel):
    """Something that shines: give ``kelvin`` or ``color``, not both; neither = neutral white."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kelvin: float | None = Field(None, ge=LOWEST_K, le=HIGHEST_K, description="Colour temperature, kelvin.")
    color: str | None = Field(None, pattern="^#[0-9a-fA-F]{6}$", description="Colour of the light as shown, #rrggbb.")

    @model_validator(mode="after")
    def _one_colour(self) -> Coloured:
        if self.kelvin is not None and self.color is not None:
            raise ValueError("give either kelvin or color, not both")
        return self


class Lamp(Coloured):
    """One light. Azimuth and elevation are seen from the person's head; left and right are those of the picture."""

    kind: Kind = Field(description="softbox, strip, window, monitor (rectangles), umbrella, ring, bulb, spot or sun.")
    azimuth_deg: float = Field(
        ge=-180, le=180, description="0 = at the camera, + = picture's right, - = picture's left, 180 = behind."
    )
    elevation_deg: float = Field(0.0, ge=-90, le=90, description="Height above the face's horizon.")
    size_m: tuple[float, float] | float = Field(
        0.3, description="[width, height] of a rectangle, or diameter of a round light, metres; ignored for the sun."
    )
    distance_m: float = Field(1.5, gt=0.1, le=1000, description="From the face to the light, metres.")
    ratio: float = Field(
        1.0, gt=0, le=100, description="Light on a surface that faces this lamp, against the key light's 1.0."
    )

    @model_validator(mode="after")
    def _size_fits_kind(self) -> Lamp:
        rectangular = self.kind in RECTANGULAR
        if self.kind != "sun" and rectangular != isinstance(self.size_m, tuple):
            wanted = "[width, height]" if rectangular else "one number, the diameter"
            raise ValueError(f"size_m of a {self.kind} must be {wanted}")
        sizes = self.size_m if isinstance(self.size_m, tuple) else (self.size_m,)
        if not all(0.005 <= size <= 100 for size in sizes):
            raise ValueError("size_m must lie between 0.005 and 100 metres")
        return self


class Sphere(Coloured):
    """Light from all around: the walls of the room, or the sky."""

    ratio: float = Field(
        0.1, gt=0, le=100, description="Light from all around on an upright surface, against the key's."
    )
    above: float = Field(1.0, ge=0, le=10, description="Brightness of ceiling or sky, against the walls' 1.")
    below: float = Field(1.0, ge=0, le=10, description="Brightness of floor or ground, against the walls' 1.")
    behind: float = Field(1.0, ge=0, le=10, description="Brightness behind the person, against that in front.")


class Rig(BaseModel):
    """A set of lights around one person."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    summary: str = Field(max_length=200, description="One line for the list of presets.")
    white_kelvin: float = Field(
        5600.0, ge=LOWEST_K, le=HIGHEST_K, description="Colour temperature that the camera shows as neutral white."
    )
    fill: tuple[Sphere, ...] = Field((), max_length=8, description="Light from all around; several are added.")
    light: tuple[Lamp, ...] = Field((), max_length=32, description="The lights.")

    @model_validator(mode="after")
    def _gives_light(self) -> Rig:
        if not self.light and not self.fill:
            raise ValueError("a rig needs at least one [[light]] or [[fill]]")
        return self


def rig_names() -> tuple[str, ...]:
    """Names of the presets that ship with LiveLight, in alphabetical order."""
    found = (Path(entry.name) for entry in (files("livelight") / "rigs").iterdir())
    return tuple(sorted(path.stem for path in found if path.suffix == ".toml"))


def preset_text(name: str) -> str:
    """The TOML text of a preset. Raises LightError with near names for an unknown one."""
    names = rig_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(names)}."
        raise LightError(f"{name} is neither a preset nor a file; {hint}")
    return (files("livelight") / "rigs" / f"{name}.toml").read_text("utf-8")


def load_preset(name: str) -> Rig:
    """A preset by name. Raises LightError with near names for an unknown one."""
    return parse_rig(preset_text(name), name)


def load_rig(path: Path) -> Rig:
    """A rig from a TOML file. Raises LightError that names the wrong line or key."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LightError(f"{path}: larger than {MAX_BYTES} bytes, this is no rig.")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise LightError(f"{path}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise LightError(f"{path}: cannot be read as text ({error}).") from error
    return parse_rig(text, str(path))


def parse_rig(text: str, name: str) -> Rig:
    """A rig from TOML text; ``name`` begins the sentence of the LightError."""
    try:
        return Rig.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise LightError(f"{name}: this is not TOML: {error}.") from error
    except ValidationError as error:
        raise LightError(f"{name}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    """One complaint of pydantic as a sentence: where, what, and the keys that exist there; misspelt keys first."""
    first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    place = [str(part + 1) if isinstance(part, int) else part for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        known = _known_keys(first["loc"])
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}."
        inside = f" in {' '.join(place[:-1])}" if place[:-1] else ""
        return f"unknown key '{place[-1]}'{inside}; {hint}"
    where = " ".join(part for part in place if part not in ("float", "tuple[float, float]", "tuple[float,float]"))
    what = first["msg"].removeprefix("Value error, ")
    return f"{where + ': ' if where else ''}{what[0].lower()}{what[1:]}."


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] = Rig
    if len(location) > 1:
        model = Lamp if location[0] == "light" else Sphere
    return sorted(model.model_fields)
