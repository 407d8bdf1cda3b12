"""The element's properties, made from the one schema of settings."""

from __future__ import annotations

import sys
import types
from typing import Any, Literal, get_args, get_origin

from gi.repository import GObject
from pydantic.fields import FieldInfo

from livelight.config import RelightSettings
from livelight.control import LIVE_FIELDS
from pipelines.options import option_name

FIELDS = {option_name(name).removeprefix("--"): name for name in RelightSettings.model_fields}
"""Property -> field of RelightSettings; named as the command line's options."""

PRESET = "preset"


def gproperties() -> dict[str, tuple[Any, ...]]:
    """``__gproperties__`` of the element: name -> type, nick, blurb, range, default, flags.

    Numbers have no range of their own: GObject would silently leave a value outside it unset, the schema says why.
    """
    made = {name: _gproperty(RelightSettings.model_fields[field], field) for name, field in FIELDS.items()}
    blurb = "Take up a saved preset (livelight preset list); what it does not hold stays."
    made[PRESET] = (str, "Preset", blurb, "", GObject.ParamFlags.READWRITE)
    return made


def _gproperty(field: FieldInfo, name: str) -> tuple[Any, ...]:
    when = "can change while it runs" if name in LIVE_FIELDS else "fixed from the state PAUSED on"
    described = (name, f"{field.description} ({when})")
    flags = GObject.ParamFlags.READWRITE
    kind = _kind(field.annotation)
    if kind is str:
        return (str, *described, str(field.default), flags)
    if kind is int:
        return (int, *described, 0, 2**31 - 1, field.default, flags)
    return (float, *described, -sys.float_info.max, sys.float_info.max, field.default, flags)


def _kind(annotation: Any) -> type:
    """str, int or float; what may be a number or a word is given as a word."""
    if get_origin(annotation) in (Literal, types.UnionType) or len(get_args(annotation)) > 1:
        return str
    return annotation if annotation in (int, float) else str
