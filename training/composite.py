"""How the network's answer becomes a picture: the one formula that training, evaluation and the live path share."""

from __future__ import annotations

from typing import Any, TypeVar

Array = TypeVar("Array", bound=Any)


def composite(image: Array, alpha: Array, gain: Array, offset: Array) -> Array:
    """The person relit, the room as it was: image + alpha (image (gain - 1) + offset), not clipped.

    image, gain, offset: float torch or numpy pictures of one shape, sRGB-coded; alpha: one channel in [0, 1].
    """
    return image + alpha * (image * (gain - 1) + offset)
