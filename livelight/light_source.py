"""Where light comes from: a preset, a rig file, a panorama, or a picture or video that it is estimated from."""

from __future__ import annotations

import math
import os
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from livelight.errors import LightError
from livelight.light_estimate import SMOOTHING_S, estimated_panorama
from livelight.moving_picture import LoopingVideo, MovingPicture, Picture, open_moving_picture
from livelight.panorama import Panorama
from livelight.panorama_file import read_panorama
from livelight.picture_file import kind_of, read_picture
from livelight.rig import load_preset, load_rig, rig_names
from livelight.rig_panorama import rendered


class LightSource(Protocol):
    """An environment as a function of time, neither turned nor exposed; times do not decrease."""

    photo: MovingPicture | None
    """The ordinary picture or video that the light was estimated from, if it was."""

    def at(self, time_s: float) -> Panorama:
        """The panorama at a time; the same object as long as nothing changes."""
        ...


class SteadyLight:
    """The same panorama at all times."""

    def __init__(self, panorama: Panorama, photo: MovingPicture | None = None) -> None:
        self._panorama = panorama
        self.photo = photo

    def at(self, time_s: float) -> Panorama:
        return self._panorama


class VideoLight:
    """Light estimated from each frame of a video, following it with the time constant SMOOTHING_S.

    A step of the video's light is followed as 1 - exp(-t / SMOOTHING_S): steadily, without overshoot, at any rate of
    calls. A time before the last one (the clip begins again) starts from the frame there.
    """

    def __init__(self, video: LoopingVideo, fov_deg: float) -> None:
        self.photo: MovingPicture | None = video
        self._video = video
        self._fov_deg = fov_deg
        self._time_s = 0.0
        self._seen: Picture | None = None
        self._wanted = self._followed = estimated_panorama(video.at(0.0), fov_deg)
        self._panorama = Panorama(self._followed)

    def at(self, time_s: float) -> Panorama:
        picture = self._video.at(time_s)
        if picture is not self._seen:
            self._seen, self._wanted = picture, estimated_panorama(picture, self._fov_deg)
        part = 1 - math.exp(-(time_s - self._time_s) / SMOOTHING_S) if time_s >= self._time_s else 1.0
        self._time_s = time_s
        if part > 0 and self._followed is not self._wanted:
            self._followed = self._followed + (self._wanted - self._followed) * part
            self._panorama = Panorama(self._followed)
        return self._panorama


def open_light(env: str, fov_deg: float) -> LightSource:
    """The light that ``--env`` names: a preset name, else a file. ``fov_deg``: the camera's, for ordinary pictures.

    Raises LightError for an unknown name (with near ones), a missing or unusable file.
    """
    if env in rig_names():
        return SteadyLight(_preset(env))
    if not env:
        raise LightError("An empty name came as env; give a preset (livelight envs lists them) or a file.")
    path = Path(env)
    if not os.path.exists(path):  # Path.exists raises for a name that is too long
        if len(path.parts) == 1 and not path.suffix:
            load_preset(env)  # raises, with near names
        raise LightError(f"{env}: no such file, and no preset of that name.")
    if path.is_dir():
        raise LightError(f"{env} is a folder; expected a panorama, a rig, a picture or a video.")
    if path.suffix.lower() == ".toml":
        return SteadyLight(Panorama(rendered(load_rig(path)), env))
    kind = kind_of(path)
    if kind in ("hdr", "exr"):
        return SteadyLight(Panorama(read_panorama(path), env))
    if kind is not None:
        return _picture_light(path, fov_deg)
    photo = open_moving_picture(path)
    assert isinstance(photo, LoopingVideo)
    return VideoLight(photo, fov_deg)


@lru_cache(maxsize=32)
def _preset(name: str) -> Panorama:
    """Presets are kept, so that going through them live does not draw them anew."""
    return Panorama(rendered(load_preset(name)), name)


def _picture_light(path: Path, fov_deg: float) -> LightSource:
    """A picture twice as wide as high is a panorama; any other an ordinary one."""
    picture = read_picture(path)
    if picture.shape[1] == 2 * picture.shape[0]:
        return SteadyLight(Panorama(read_panorama(path), str(path)))
    photo = open_moving_picture(path)
    return SteadyLight(Panorama(estimated_panorama(picture, fov_deg), str(path)), photo)
