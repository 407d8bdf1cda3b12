"""Environment: the light around the person, an HDR panorama that can be turned and exposed; both cost nothing.

Where its texels lie: livelight.sphere. How it is scaled (DESIGN.md): a grey card of albedo 0.18 that faces the camera
comes out at linear luminance 0.18 x 2**exposure_ev.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight import sphere
from livelight.color import linear_to_srgb8, luminance
from livelight.light_code import light_code
from livelight.panorama import Panorama
from livelight.panorama_file import read_panorama

F32 = NDArray[np.float32]
Picture = TypeVar("Picture", F32, NDArray[np.uint8])

GREY_CARD = 0.18
"""Albedo of the grey card, and its linear value in a standard exposure."""

DARKEST_FRONT = 1 / 8
"""Light that stands almost wholly behind the person would need an endless gain; the meter never reads less than this
part of the irradiance averaged over all directions, so such a person stays a silhouette."""

EXACT_NORMALS = 1024
"""Up to so many normals are integrated exactly; more (pictures) are looked up in a 32 x 64 map of such integrals."""

SHOULDER = 0.6
"""Linear value above which ``picture`` rolls off highlights."""


@dataclass(frozen=True, eq=False, slots=True)
class Environment:
    """A panorama, how it is turned, and the gain on its values. A value: methods return new ones.

    panorama: the map as it came. rotate_deg, pitch_deg: see livelight.sphere.turn. gain: factor on its radiance.
    """

    panorama: Panorama
    rotate_deg: float = 0.0
    pitch_deg: float = 0.0
    gain: float = 1.0

    @classmethod
    def load(cls, path: str | Path) -> Environment:
        """Read a panorama file (.hdr, .exr; .png, .jpg, .webp as livelight.highlights says). Raises LightError."""
        return cls(Panorama(read_panorama(Path(path)), name=str(path)))

    @classmethod
    def from_image(cls, image: F32) -> Environment:
        """From float32 (h, 2h, 3), linear, Rec.709, which the Environment takes over. Raises LightError."""
        return cls(Panorama(image))

    @property
    def image(self) -> F32:
        """The panorama as it came, neither turned nor exposed: float32 (h, 2h, 3), linear. ``drawn`` gives the rest."""
        return self.panorama.image

    @property
    def turn(self) -> F32:
        """float32 (3, 3): directions in the panorama -> directions in the camera frame."""
        return sphere.turn(self.rotate_deg, self.pitch_deg)

    def rotated(self, rotate_deg: float, pitch_deg: float = 0.0) -> Environment:
        """Turned to these angles (they replace earlier ones); the panorama and its sums are shared."""
        return replace(self, rotate_deg=rotate_deg, pitch_deg=pitch_deg)

    def exposed(self, exposure: float | Literal["keep"]) -> Environment:
        """Scaled so that a grey card facing the camera comes out at luminance 0.18 x 2**exposure; "keep" = gain 1.

        Turn first: the card is metered in the present orientation, as by a camera that exposes for the face. Only
        where nearly all light comes from behind, DARKEST_FRONT limits the gain and the card comes out darker.
        """
        if exposure == "keep":
            return replace(self, gain=1.0)
        front = float(luminance(self.panorama.irradiance(sphere.TOWARDS_CAMERA @ self.turn)))
        metered = max(front, DARKEST_FRONT * self.panorama.mean_irradiance)
        return replace(self, gain=np.pi / metered * 2.0**exposure)

    def irradiance(self, normals: F32) -> F32:
        """Cosine-weighted integral of radiance over the hemisphere of each unit normal: (..., 3) -> float32 (..., 3).

        normals: camera frame. A Lambertian surface of albedo a shows a / pi x this. See Panorama.irradiance for the
        error; above EXACT_NORMALS normals a bilinear look-up adds up to 0.3 % of the largest
        value, 2 % at the terminator of a bare sun.
        """
        own = np.asarray(normals, np.float32) @ self.turn
        if own.size <= 3 * EXACT_NORMALS:
            return self.panorama.irradiance(own) * np.float32(self.gain)
        found = sphere.sampled(self.panorama.irradiance_map, own.reshape(1, -1, 3) if own.ndim != 3 else own)
        return found.reshape(own.shape) * np.float32(self.gain)

    def light_code(self) -> F32:
        """The network's 16 x 16 x 3 code of this light, float32, linear radiance; see livelight.light_code."""
        return light_code(self.panorama.light, self.turn) * np.float32(self.gain)

    def drawn(self, rows: int) -> F32:
        """The turned and exposed panorama as a picture: float32 (rows, 2 rows, 3), linear."""
        return self._seen(sphere.directions(rows, 2 * rows), np.pi / rows)

    def view(self, width: int, height: int, fov_deg: float) -> F32:
        """What a camera of horizontal field of view ``fov_deg`` sees behind the person: (height, width, 3), linear.

        Filtered to the picture's pixels, so that suns neither vanish nor flicker. Where the panorama is coarser than
        the picture, it is sampled at twice its own density and enlarged.
        """
        return _enlarged(self._view(width, height, fov_deg), width, height)

    def picture(self, width: int, height: int, fov_deg: float) -> NDArray[np.uint8]:
        """``view`` as a camera would record it: uint8 (height, width, 3), sRGB, highlights rolled off to white."""
        return _enlarged(_recorded(self._view(width, height, fov_deg)), width, height)

    def mirror_ball(self, size: int) -> F32:
        """A mirrored ball before the person, seen by the camera: float32 (size, size, 3), linear, black around it."""
        normals, cover = ball(size)
        reflected = 2 * normals[:, :, 2:] * normals - sphere.TOWARDS_CAMERA
        return self._seen(reflected, np.pi / size) * cover[:, :, None]

    def grey_ball(self, size: int) -> F32:
        """A matte ball of albedo 0.18, without self-shadow: float32 (size, size, 3), linear, black around it."""
        normals, cover = ball(size)
        return self.irradiance(normals) * (cover[:, :, None] * np.float32(GREY_CARD / np.pi))

    def _seen(self, direction: F32, texel_rad: float) -> F32:
        own = cv2.transform(direction, self.turn.T)
        return sphere.sampled(self.panorama.level(texel_rad), own) * np.float32(self.gain)

    def _view(self, width: int, height: int, fov_deg: float) -> F32:
        """The view at no more than twice the panorama's own density."""
        pixel_rad = 2 * np.tan(np.deg2rad(fov_deg) / 2) / width
        shrink = max(1, int(np.pi / self.image.shape[0] / 2 / pixel_rad))
        small_width, small_height = -(-width // shrink), -(-height // shrink)
        level = self.panorama.level(pixel_rad * shrink)
        columns = level.shape[1] - 2
        column, row = _view_texels(small_width, small_height, height / width, fov_deg, self.pitch_deg, columns)
        column = column - np.float32(self.rotate_deg / 360 % 1 * columns)
        column += (column < -0.5) * np.float32(columns)
        return sphere.sampled_at(level, column, row) * np.float32(self.gain)


def rolled_off(linear: F32) -> F32:
    """A camera's shoulder: light up to SHOULDER as it is, above it smoothly towards 1, so that skies keep colour.

    Linear, any shape; y = s + (1 - s)(1 - exp(-(x - s) / (1 - s))) above s = SHOULDER.
    """
    room = np.float32(1 - SHOULDER)
    above = room - room * np.exp(np.minimum(SHOULDER - linear, 0) / room)
    return np.asarray(np.minimum(linear, SHOULDER) + above, np.float32)


_TABLE = 4096
_TABLE_END = 16.0
_RECORDED = linear_to_srgb8(rolled_off(_TABLE_END * np.linspace(0, 1, _TABLE, dtype=np.float32) ** 2))


def _recorded(linear: F32) -> NDArray[np.uint8]:
    """Rolled off and encoded to uint8 sRGB, by a table over the square root: within one level, five times as fast."""
    index = cv2.sqrt(np.clip(linear, 0, _TABLE_END)) * np.float32((_TABLE - 1) / np.sqrt(_TABLE_END))
    return np.asarray(_RECORDED[np.rint(index).astype(np.uint16)], np.uint8)


@lru_cache(maxsize=4)
def _view_texels(
    width: int, height: int, aspect: float, fov_deg: float, pitch_deg: float, columns: int
) -> tuple[F32, F32]:
    """Column and row, float32 (height, width), of what a camera that looks along -z sees of a tilted panorama.

    aspect: height / width of the whole picture. Kept: turning about the vertical only adds to the columns.
    """
    own = cv2.transform(_view_directions(width, height, aspect, fov_deg), sphere.turn(0.0, pitch_deg).T)
    return sphere.texel_of(own, columns // 2, columns)


def _view_directions(width: int, height: int, aspect: float, fov_deg: float) -> F32:
    """Directions float32 (height, width, 3), not normalised, through the pixel centres."""
    half = np.tan(np.deg2rad(fov_deg) / 2)
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * half
    y = (1 - (np.arange(height) + 0.5) / height * 2) * half * aspect
    grid_x, grid_y = np.meshgrid(x, y)
    return np.stack([grid_x, grid_y, -np.ones_like(grid_x)], axis=-1).astype(np.float32)


def ball(size: int) -> tuple[F32, F32]:
    """Normals float32 (size, size, 3) of a ball seen from afar, and its antialiased cover float32 (size, size)."""
    c = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(c, -c)
    radius = np.hypot(x, y)
    inside = np.minimum(1.0, 0.999 / np.maximum(radius, 1e-6))
    x, y = x * inside, y * inside
    normals = np.stack([x, y, np.sqrt(np.maximum(0, 1 - x * x - y * y))], axis=-1)
    return normals.astype(np.float32), np.clip((1 - radius) * size / 2 + 0.5, 0, 1).astype(np.float32)


def _enlarged(image: Picture, width: int, height: int) -> Picture:
    """Smoothed a little, as out of focus, that texels do not show, and brought to width x height."""
    if image.shape[:2] == (height, width):
        return image
    image = cv2.GaussianBlur(image, (0, 0), 1.2)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[no-any-return]
