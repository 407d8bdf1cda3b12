"""Settings that change while a session runs, and the light that follows them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from livelight.backdrop import Backdrop, open_backdrop
from livelight.config import RelightSettings
from livelight.errors import LiveLightError, SettingsError
from livelight.light_program import LightProgram
from livelight.light_source import LightSource, open_light
from livelight.lighting import Light
from livelight.moving_picture import covering
from livelight.rotation import parsed_rotation

log = logging.getLogger(__name__)

LIVE_FIELDS = (
    "env",
    "rotate",
    "rotate_period_s",
    "pitch",
    "exposure",
    "intensity",
    "background",
    "blur",
    "tone",
    "brighten",
    "fov_deg",
)
"""Settings that may change in mid-stream; the others choose engines and are fixed at the start."""

OPENING = ("env", "fov_deg", "background", "pitch", "exposure")
"""A change of one of these opens files; of the last two only where the background is a file (a panorama behind)."""


class Control:
    """The settings of one running session. Any thread reads and changes them; every change is checked as a whole."""

    def __init__(self, settings: RelightSettings) -> None:
        self._lock = threading.Lock()
        self._settings = settings

    @property
    def settings(self) -> RelightSettings:
        """The newest settings; the same object while nothing changes."""
        return self._settings

    def change(self, **fields: Any) -> RelightSettings:
        """Set some of LIVE_FIELDS. If one is unknown, fixed or out of range: SettingsError, and nothing changes."""
        fixed = [name for name in fields if name not in LIVE_FIELDS]
        if fixed:
            raise SettingsError(f"{', '.join(fixed)} cannot change while it runs; what can: {', '.join(LIVE_FIELDS)}.")
        with self._lock:
            try:
                changed = type(self._settings).model_validate(self._settings.model_dump() | fields)
            except ValidationError as exc:
                fault = exc.errors()[0]
                raise SettingsError(
                    f"{'.'.join(map(str, fault['loc'][:1]))}: {fault['msg']}, got {fault['input']!r}"
                ) from exc
            parsed_rotation(changed.rotate, None, changed.rotate_period_s)
            self._settings = changed
        return changed


class LiveLighting:
    """Lighting (livelight.lighting) that follows a Control. ``at`` is called by the session's thread alone.

    A new environment or background is opened on a thread of its own while the old light stays on. One that cannot be
    opened is reported to ``problem`` in one sentence, and the old light stays; it follows all other changes. The first
    one is opened in the constructor, which raises LightError.
    """

    def __init__(
        self,
        control: Control,
        problem: Callable[[str], None],
        open_env: Callable[[str, float], LightSource] = open_light,
        open_background: Callable[[RelightSettings, LightSource], Backdrop] = open_backdrop,
    ) -> None:
        self._control = control
        self._problem = problem
        self._open_env = open_env
        self._open_background = open_background
        self._opener: threading.Thread | None = None
        self._starting = threading.Lock()
        self._opened: Opened | None = None
        settings = control.settings
        self._asked = settings
        self._shown = self._open(settings, None)
        self._program = self._shown.program()
        self._light: Light | None = None
        self._broken = False
        self._refused: RelightSettings | None = None

    def at(self, time_s: float, width: int, height: int) -> Light:
        """As Lighting.at, under the newest settings that are ready.

        If a video behind it breaks off, that is reported once, and the last light stays until the settings change.
        """
        self._follow()
        if self._broken and self._light is not None:
            self._light = _sized(self._light, width, height)
            return self._light
        try:
            self._light = self._program.at(time_s, width, height)
        except LiveLightError as exc:
            if self._light is None:
                raise
            self._problem(f"{exc} The light stays as it is until you change it.")
            self._broken = True
            self._light = _sized(self._light, width, height)
        return self._light

    def close(self) -> None:
        """Wait for an opening that is under way. From any thread, also beside ``at``."""
        with self._starting:
            opener = self._opener
        if opener is not None:
            opener.join()

    def _follow(self) -> None:
        """Take what has been opened; take a small change at once; begin to open a large one."""
        if self._opener is not None and not self._opener.is_alive():
            self._opener = None
            if self._opened is not None:
                self._show(self._opened)
            else:
                self._refused = self._asked
        wanted = self._control.settings
        if wanted is self._asked or self._opener is not None:
            return
        asked, self._asked = self._asked, wanted
        if self._refused is not None and wanted != asked and _named(wanted) == _named(self._refused):
            wanted = wanted.model_copy(update=_named(self._shown.settings))
        if self._shown.serves(wanted):
            self._show(replace(self._shown, settings=wanted))
            return
        self._opened = None
        opener = threading.Thread(target=self._open_beside, args=(wanted,), name="livelight-light", daemon=True)
        with self._starting:  # who closes it now must find a thread that has started
            self._opener = opener
            opener.start()

    def _show(self, opened: Opened) -> None:
        self._shown, self._program, self._broken = opened, opened.program(), False

    def _open_beside(self, settings: RelightSettings) -> None:
        try:
            self._opened = self._open(settings, self._shown)
        except LiveLightError as exc:
            self._problem(str(exc))
        except Exception:
            log.exception("the light could not be opened")
            self._problem("A fault of LiveLight's own: the new light cannot be opened; the log says why.")

    def _open(self, settings: RelightSettings, shown: Opened | None) -> Opened:
        """What ``settings`` name; a light that is open already is kept."""
        same = shown is not None and (shown.settings.env, shown.settings.fov_deg) == (settings.env, settings.fov_deg)
        source = shown.source if same and shown is not None else self._open_env(settings.env, settings.fov_deg)
        return Opened(settings, source, self._open_background(settings, source))


def _named(settings: RelightSettings) -> dict[str, object]:
    """Which environment and background are to be open."""
    return {name: getattr(settings, name) for name in OPENING[:3]}


def _sized(light: Light, width: int, height: int) -> Light:
    """The same light, its backdrop brought to another size of the frames."""
    if light.backdrop is None or light.backdrop.shape[:2] == (height, width):
        return light
    return replace(light, backdrop=covering(light.backdrop, width, height))


@dataclass(frozen=True, slots=True)
class Opened:
    """A light and a backdrop that are open, under the settings that named them."""

    settings: RelightSettings
    source: LightSource
    backdrop: Backdrop

    def serves(self, wanted: RelightSettings) -> bool:
        """Whether nothing need be opened for other settings."""
        names = OPENING if Path(wanted.background).suffix else OPENING[:3]
        return all(getattr(wanted, name) == getattr(self.settings, name) for name in names)

    def program(self) -> LightProgram:
        rotation = parsed_rotation(self.settings.rotate, None, self.settings.rotate_period_s)
        return LightProgram(self.settings, self.source, self.backdrop, rotation)
