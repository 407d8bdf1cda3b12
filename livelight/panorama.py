"""Panorama: the pixels of an HDR lat-long map and what is worth computing once per map, whatever way it is turned."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from livelight import sphere
from livelight.color import luminance
from livelight.errors import LightError

F32 = sphere.F32

LIGHT_ROWS = 64
"""Rows of the reduced map from which light is computed: a texel of 2.8 degrees."""


def check(image: F32, name: str) -> None:
    """Raise LightError, beginning with ``name``, unless image is float (h, 2h, 3), finite, >= 0 and not all black."""
    if image.ndim != 3 or image.shape[2] != 3:
        raise LightError(f"{name}: expected a colour panorama (h, 2h, 3), got an array of shape {image.shape}.")
    height, width = image.shape[:2]
    if width == 2 * height < 4:
        raise LightError(
            f"{name}: a panorama must be at least 4x2 pixels, this one is {width}x{height}; choose a larger one."
        )
    if width != 2 * height:
        raise LightError(
            f"{name}: a panorama must be twice as wide as high, this one is {width}x{height}; "
            "if it is an ordinary picture, save it as PNG or JPEG and its light will be estimated."
        )
    lowest, highest = float(image.min()), float(image.max())
    if lowest >= 0 and 0 < highest < np.inf:  # NaN fails every comparison
        return
    broken = int(np.count_nonzero(~np.isfinite(image).all(axis=2)))
    if broken:
        raise LightError(
            f"{name}: {broken} of {height * width} pixels are not finite (NaN or infinite); "
            "save it again with values clipped to 0..65504."
        )
    negative = int(np.count_nonzero((image < 0).any(axis=2)))
    if negative:
        raise LightError(
            f"{name}: {negative} of {height * width} pixels are negative, which light cannot be; "
            "save it again with values clipped at 0."
        )
    raise LightError(f"{name}: the panorama is all black and gives no light; choose another.")


class Panorama:
    """An HDR lat-long map, never changed after construction.

    image: float32 (h, 2h, 3), linear, Rec.709, >= 0, any scale; livelight.sphere says where each texel lies. The
    Panorama takes it over: nobody may write into it. Raises LightError for an image that is no usable light.
    """

    def __init__(self, image: F32, name: str = "panorama") -> None:
        image = np.ascontiguousarray(image, np.float32)
        check(image, name)
        self.image = image
        self.name = name
        self._levels: dict[int, F32] = {}

    @cached_property
    def light(self) -> F32:
        """The map reduced for light: float32 (64, 128, 3), energy kept (small ones: repeated)."""
        repeat = -(-LIGHT_ROWS // self.image.shape[0])
        image = self.image.repeat(repeat, axis=0).repeat(repeat, axis=1) if repeat > 1 else self.image
        return sphere.reduced(image, min(LIGHT_ROWS, image.shape[0]))

    @cached_property
    def flux(self) -> F32:
        """Vector irradiance of each block of the light map: the integral of radiance x direction, float32 (3, 3, n).

        First axis colour, second x, y, z, third block. A surface of unit normal N that sees the whole block receives
        exactly N . flux from it, wherever in the block the light stands.
        """
        fine = self.light
        if self.image.shape[0] > LIGHT_ROWS:
            fine = sphere.reduced(self.image, min(8 * LIGHT_ROWS, self.image.shape[0]))
        rows, columns = fine.shape[:2]
        blocks = self.light.shape[0]
        moments = fine[:, :, :, None] * sphere.directions(rows, columns)[:, :, None, :]
        mean = sphere.reduced(moments.reshape(rows, columns, 9), blocks)
        weights = sphere.solid_angles(blocks, 2 * blocks)[:, None, None]
        return np.ascontiguousarray((mean * weights).reshape(-1, 3, 3).transpose(1, 2, 0), np.float32)

    @cached_property
    def mean_irradiance(self) -> float:
        """Luminance of the irradiance averaged over all normals: pi x the mean radiance of the sphere."""
        weights = sphere.solid_angles(*self.light.shape[:2])
        return float(np.pi * (luminance(self.light).sum(axis=1) * weights).sum() / (4 * np.pi))

    @cached_property
    def irradiance_map(self) -> F32:
        """Irradiance for normals on a lat-long map, padded for sphere.sampled: float32 (34, 66, 3)."""
        return sphere.padded(self.irradiance(sphere.directions(32, 64)))

    def irradiance(self, normals: F32) -> F32:
        """Cosine integral of the radiance for unit normals float32 (..., 3) -> float32 (..., 3).

        Sum over 64 x 128 blocks of max(0, N . flux): exact for every block above the surface's horizon; the blocks
        that the horizon cuts leave an error below 0.1 % of the whole.
        """
        flat = np.asarray(normals, np.float32).reshape(-1, 3)
        result = np.empty_like(flat)
        for index, (x, y, z) in enumerate(flat):  # not one matrix product: its threads stall on a busy machine
            received = x * self.flux[:, 0] + y * self.flux[:, 1] + z * self.flux[:, 2]
            result[index] = np.maximum(received, 0, out=received).sum(axis=1)
        return result.reshape(np.shape(normals))

    def level(self, texel_rad: float) -> F32:
        """The map, padded for sphere.sampled, halved until its texels are at least ``texel_rad`` radians wide.

        So a picture whose pixels are that wide does not step over a sun: light between its samples is not lost.
        """
        rows = self.image.shape[0]
        while rows % 2 == 0 and rows > 8 and np.pi / rows < texel_rad * 0.75:
            rows //= 2
        if rows not in self._levels:
            self._levels[rows] = sphere.padded(sphere.reduced(self.image, rows))
        return self._levels[rows]
