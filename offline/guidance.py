"""Guidance, and the illumination-invariant ensemble (IIE) of RelightVid, both on the predicted noise.

Which brightnesses IIE takes: offline/brightnesses.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def guided(noises: Sequence[Tensor], scales: Sequence[float]) -> Tensor:
    """e_1 + s_1 (e_2 - e_1) + s_2 (e_3 - e_2) + ...: each pass adds one condition to the pass before.

    Two passes are plain classifier-free guidance; three are RelightVid's eq. of image and text guidance
    (InstructPix2Pix, eq. 3); four add the light tokens.
    """
    result = noises[0]
    for before, after, scale in zip(noises[:-1], noises[1:], scales, strict=True):
        result = result + scale * (after - before)
    return result


def ensemble(predict: Callable[[int], Tensor], n: int) -> Tensor:
    """Mean noise over n variants, taken BEFORE the one step that follows.

    Averaging latents after n steps would average n independent draws of fresh noise too, shrink it by sqrt(n), and
    blur: here the injected noise is the sampler's own, whatever n is. predict(k): noise for variant k.
    """
    first = predict(0)
    if n == 1:
        return first
    total = first.clone()
    for k in range(1, n):
        total += predict(k)
    return total / n


def zeros_where(absent: bool, x: Tensor) -> Tensor:
    """A condition that is left out of a pass: zeros in its place."""
    return torch.zeros_like(x) if absent else x
