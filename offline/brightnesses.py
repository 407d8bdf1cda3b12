"""The brightnesses of the illumination-invariant ensemble (IIE) of RelightVid."""

from __future__ import annotations

import numpy as np

from livelight.errors import SettingsError


def brightnesses(n: int) -> tuple[float, ...]:
    """Gains of IIE's n pictures, 0.5 to 1.5; n = 1 is the picture as it is."""
    if n < 1:
        raise SettingsError(f"IIE takes at least 1 picture, got {n}; 1 turns it off.")
    return (1.0,) if n == 1 else tuple(float(g) for g in np.linspace(0.5, 1.5, n))
