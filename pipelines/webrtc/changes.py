"""A change of settings that came over the net: only live fields, only ids, only finite numbers."""

from __future__ import annotations

import math
from typing import Any

from livelight.config import RelightSettings
from livelight.control import LIVE_FIELDS, Control
from livelight.errors import SettingsError
from pipelines.webrtc.gallery import Gallery

MAX_TEXT = 200


def public(settings: RelightSettings) -> dict[str, Any]:
    """What clients are told of settings: the live fields, by ids; nothing of the machine."""
    return settings.model_dump(mode="json", include=set(LIVE_FIELDS))


def change_settings(control: Control, gallery: Gallery, change: object) -> RelightSettings:
    """Apply a change; the settings after it. Raises SettingsError, and then nothing changed."""
    if not isinstance(change, dict) or not change:
        raise SettingsError("expected an object of settings, as /api/schema lists them")
    fields: dict[str, Any] = {}
    for name, value in change.items():
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise SettingsError(f"{name[:MAX_TEXT]}: expected a number or a text")
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise SettingsError(f"{name[:MAX_TEXT]}: the text is longer than {MAX_TEXT} characters")
        if not isinstance(value, str) and not (abs(value) < 1e12 and math.isfinite(value)):
            raise SettingsError(f"{name[:MAX_TEXT]}: expected a finite number")
        fields[name[:MAX_TEXT]] = str(value) if name == "rotate" else value
    gallery.check(fields)
    return control.change(**fields)
