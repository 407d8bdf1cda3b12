"""The size at which a latent diffusion model sees a clip."""

from __future__ import annotations

from livelight.errors import SettingsError

AREA = 512 * 512
"""Pixels of the network's picture, unless --size is given."""


def working_size(width: int, height: int, wanted: str | None, multiple: int = 64) -> tuple[int, int]:
    """(width, height) for the network: as ``wanted`` ("WxH") says, else about AREA pixels in the frame's shape.

    Multiples of ``multiple``. Raises SettingsError for a size that is none.
    """
    if wanted is None:
        scale = (AREA / (width * height)) ** 0.5
        w, h = (max(round(side * scale / multiple), 1) * multiple for side in (width, height))
        return w, h
    try:
        w, h = (int(side) for side in wanted.lower().split("x"))
    except ValueError:
        w = h = 0
    if w < multiple or h < multiple or w % multiple or h % multiple:
        raise SettingsError(f"--size {wanted}: expected WxH, both multiples of {multiple}, such as 640x384.")
    return w, h
