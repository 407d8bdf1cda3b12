"""What stands behind the person: nothing of ours, a colour, a picture, a video, or the environment itself."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Protocol

import numpy as np

from livelight.config import LightSettings
from livelight.environment import Environment
from livelight.errors import LightError
from livelight.light_source import LightSource
from livelight.moving_picture import MovingPicture, Picture, covering, open_moving_picture
from livelight.paint import NAMES, parsed_color
from livelight.picture_file import kind_of


class Backdrop(Protocol):
    """A background of any size at any time. As long as nothing changes, ``at`` returns the same object."""

    def at(self, time_s: float, width: int, height: int, light: Environment) -> Picture | None:
        """uint8 (height, width, 3) sRGB, or None for the frame's own. light: the environment at that time."""
        ...


class OwnRoom:
    """The frame's own background."""

    def at(self, time_s: float, width: int, height: int, light: Environment) -> Picture | None:
        return None


class PlainColor:
    """One colour. color: uint8 (3,) sRGB."""

    def __init__(self, color: Picture) -> None:
        self._color = color
        self._drawn = np.empty((0, 0, 3), np.uint8)

    def at(self, time_s: float, width: int, height: int, light: Environment) -> Picture | None:
        if self._drawn.shape[:2] != (height, width):
            self._drawn = np.ascontiguousarray(np.broadcast_to(self._color, (height, width, 3)))
        return self._drawn


class CoveringPicture:
    """A still or moving picture that fills the frame, cut evenly where the aspect differs."""

    def __init__(self, source: MovingPicture) -> None:
        self._source = source
        self._whole: Picture | None = None
        self._cut = np.empty((0, 0, 3), np.uint8)

    def at(self, time_s: float, width: int, height: int, light: Environment) -> Picture | None:
        whole = self._source.at(time_s)
        if whole is not self._whole or self._cut.shape[:2] != (height, width):
            self._whole, self._cut = whole, covering(whole, width, height)
        return self._cut


class EnvironmentView:
    """What the camera sees of an environment: of a fixed one, or (None) of the one that lights the person."""

    def __init__(self, fov_deg: float, fixed: Environment | None = None) -> None:
        self._fov_deg = fov_deg
        self._fixed = fixed
        self._seen: Environment | None = None
        self._drawn = np.empty((0, 0, 3), np.uint8)

    def at(self, time_s: float, width: int, height: int, light: Environment) -> Picture | None:
        light = self._fixed or light
        if light is not self._seen or self._drawn.shape[:2] != (height, width):
            self._seen, self._drawn = light, light.picture(width, height, self._fov_deg)
        return self._drawn


def open_backdrop(settings: LightSettings, source: LightSource) -> Backdrop:
    """The backdrop that ``settings.background`` names. Raises LightError for what is neither colour nor file.

    Behind the light of an ordinary picture stands that picture, even when the light is turned: nobody knows its sides.
    """
    text = settings.background
    if not text:
        raise LightError("An empty name came as background; give keep, blur, env, a colour or a file.")
    if text in ("keep", "blur"):
        return OwnRoom()
    if text == "env":
        return CoveringPicture(source.photo) if source.photo else EnvironmentView(settings.fov_deg)
    color = parsed_color(text)
    if color is not None:
        return PlainColor(color)
    path = Path(text)
    if not os.path.exists(path):  # Path.exists raises for a name that is too long
        near = difflib.get_close_matches(text, ["keep", "blur", "env", *NAMES], n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else "give keep, blur, env, a colour or a file."
        raise LightError(f"background {text}: no such file and no known colour; {hint}")
    if kind_of(path) in ("hdr", "exr"):
        panorama = Environment.load(path).rotated(0.0, settings.pitch).exposed(settings.exposure)
        return EnvironmentView(settings.fov_deg, panorama)
    return CoveringPicture(open_moving_picture(path))
