"""LightProgram: from settings to the light of each moment, the one Lighting that all pipelines use."""

from __future__ import annotations

import math

import numpy as np

from livelight.backdrop import Backdrop, open_backdrop
from livelight.config import LightSettings
from livelight.environment import Environment
from livelight.light_source import LightSource, open_light
from livelight.lighting import Light
from livelight.moving_picture import Picture
from livelight.rotation import Rotation, parsed_rotation
from livelight.sphere import F32
from livelight.tone import SMOOTHING_S, mean_of, tone_gain


class LightProgram:
    """Lighting (see livelight.lighting) after LightSettings. One thread.

    While nothing moves, ``at`` returns the same Light. Raises InputError if a video behind it breaks off.
    """

    def __init__(self, settings: LightSettings, source: LightSource, backdrop: Backdrop, rotation: Rotation) -> None:
        self._settings = settings
        self._source = source
        self._backdrop = backdrop
        self._rotation = rotation
        self._tone = Tone(settings.tone)
        self._environment: Environment | None = None
        self._code: F32 = np.empty((16, 16, 3), np.float32)
        self._light: Light | None = None

    def at(self, time_s: float, width: int, height: int) -> Light:
        """The light at ``time_s`` seconds since the first frame, with backdrops of width x height pixels."""
        environment = self.environment_at(time_s)
        backdrop = self._backdrop.at(time_s, width, height, environment)
        gain = self._tone.at(time_s, backdrop, environment)
        last = self._light
        if last is None or last.code is not self._code or last.backdrop is not backdrop or last.tone_gain is not gain:
            blur = self._settings.blur if self._settings.background == "blur" else 0.0
            brighten = self._settings.brighten if backdrop is None or self._plain() else 0.0
            stops = 0.0 if self._settings.exposure == "keep" else float(self._settings.exposure)
            last = self._light = Light(self._code, backdrop, blur, self._settings.intensity, gain, brighten, stops)
        return last

    def _plain(self) -> bool:
        """Whether neither ``tone`` nor the file's own scale says how bright a person is before another background."""
        return self._settings.tone == 0 and self._settings.exposure != "keep"

    def environment_at(self, time_s: float) -> Environment:
        """The environment, turned and exposed; the same object, with the same code, while neither changes."""
        panorama, rotate_deg = self._source.at(time_s), self._rotation.at(time_s)
        last = self._environment
        if last is None or panorama is not last.panorama or rotate_deg != last.rotate_deg:
            turned = Environment(panorama).rotated(rotate_deg, self._settings.pitch)
            last = self._environment = turned.exposed(self._settings.exposure)
            self._code = last.light_code()
        return last


class Tone:
    """The tone gain over time: follows livelight.tone.tone_gain with the time constant SMOOTHING_S."""

    def __init__(self, tone: float) -> None:
        self._tone = tone
        self._seen: tuple[Picture | None, Environment] | None = None
        self._time_s = 0.0
        self._wanted = np.ones(3, np.float32)
        self._gain: F32 | None = None

    def at(self, time_s: float, backdrop: Picture | None, environment: Environment) -> F32:
        """Gain float32 (3,); the same array while it does not change. Without a backdrop of ours: ones."""
        seen = self._seen
        changed = seen is None or seen[0] is not backdrop or seen[1] is not environment
        if changed and backdrop is not None and self._tone > 0:
            self._seen = (backdrop, environment)
            self._wanted = tone_gain(mean_of(backdrop), environment, self._tone)
        if self._gain is None:
            self._gain = self._wanted
        part = 1 - math.exp(-max(time_s - self._time_s, 0.0) / SMOOTHING_S)
        self._time_s = time_s
        if part > 0 and np.abs(self._gain - self._wanted).max() > 1e-4:
            self._gain = (self._gain + (self._wanted - self._gain) * np.float32(part)).astype(np.float32)
        return self._gain


def build_lighting(settings: LightSettings, clip_duration_s: float | None) -> LightProgram:
    """Open what the settings name. clip_duration_s: length of the clip, None where unknown (a camera).

    Raises LightError for an environment or background that cannot be used, SettingsError for an unreadable rotation.
    """
    rotation = parsed_rotation(settings.rotate, clip_duration_s, settings.rotate_period_s)
    source = open_light(settings.env, settings.fov_deg)
    return LightProgram(settings, source, open_backdrop(settings, source), rotation)
