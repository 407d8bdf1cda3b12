"""The settings that a page may change, as /api/schema tells them: made from livelight.config, nothing written twice."""

from __future__ import annotations

import typing
from typing import Any

from annotated_types import Ge, Gt, Le, Lt

from livelight.config import RelightSettings
from livelight.control import LIVE_FIELDS


def schema(settings: type[RelightSettings] = RelightSettings) -> dict[str, list[dict[str, Any]]]:
    """{"fields": [{"name", "label", "kind", "min", "max", "default", "choices"}]}.

    kind: number, text or choice. min, max: null where there is none. choices: the words a choice, or a number that may
    be a word too (exposure: keep), takes; else absent.
    """
    return {"fields": [_field(settings, name) for name in LIVE_FIELDS]}


def _field(settings: type[RelightSettings], name: str) -> dict[str, Any]:
    field = settings.model_fields[name]
    kinds = typing.get_args(field.annotation) or (field.annotation,)
    parts = [part for kind in kinds for part in typing.get_args(kind) or (kind,)]
    bare = typing.get_origin(field.annotation) is typing.Literal
    number = any(part in (float, int) for part in parts)
    choices = [part for part in parts if isinstance(part, str)]
    bounds = [*field.metadata, *parts]
    low = [bound.ge if isinstance(bound, Ge) else bound.gt for bound in bounds if isinstance(bound, (Ge, Gt))]
    high = [bound.le if isinstance(bound, Le) else bound.lt for bound in bounds if isinstance(bound, (Le, Lt))]
    described = {
        "name": name,
        "label": field.description,
        "kind": "choice" if bare else "number" if number else "text",
        "min": low[0] if low else None,
        "max": high[0] if high else None,
        "default": field.default,
    }
    return described | ({"choices": choices} if choices else {})
