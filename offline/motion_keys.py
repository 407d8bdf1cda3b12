"""Names of RelightVid's published motion weights, and what they are called in diffusers."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

_RENAMED = (
    (".temporal_transformer", ""),
    (".attention_blocks.0", ".attn1"),
    (".attention_blocks.1", ".attn2"),
    (".norms.0", ".norm1"),
    (".norms.1", ".norm2"),
    (".ff_norm", ".norm3"),
)


def diffusers_name(upstream: str) -> str | None:
    """The parameter's name in UNetMotionModel; None for the position tables, which are computed, not loaded."""
    if "pos_encoder" in upstream:
        return None
    name = upstream.removeprefix("unet.")
    for old, new in _RENAMED:
        name = name.replace(old, new)
    return name


def to_diffusers(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Upstream's motion weights under their diffusers names, position tables left out."""
    renamed = ((diffusers_name(name), tensor) for name, tensor in weights.items())
    return {name: tensor for name, tensor in renamed if name is not None}
