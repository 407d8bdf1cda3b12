"""The colour of glowing bodies: kelvin to linear Rec.709."""

from __future__ import annotations

import numpy as np

from livelight.color import LUMA
from livelight.sphere import F32, F64

LOWEST_K, HIGHEST_K = 1667.0, 25000.0
"""Range of the approximation, kelvin."""

_XYZ_TO_RGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
"""XYZ (D65) to linear Rec.709 / sRGB, IEC 61966-2-1."""


_XYZ_TO_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""Bradford's matrix: XYZ to sharpened cone responses, in which white balance is a gain per channel."""

_D65_XYZ = np.array([0.95047, 1.0, 1.08883])


def chromaticity(kelvin: float) -> tuple[float, float]:
    """CIE 1931 x, y of a blackbody, within LOWEST_K..HIGHEST_K.

    Cubic splines of Kang et al., "Design of advanced color temperature control system for HDTV applications", Journal
    of the Korean Physical Society 41 (2002) 865-871, equations 8 and 9.
    """
    t = 1000.0 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y


def blackbody(kelvin: float, white_kelvin: float) -> F32:
    """Linear Rec.709 float32 (3,), luminance 1, of a blackbody as a camera balanced to ``white_kelvin`` records it.

    White balance by Bradford's transform (Lam 1985; as in ICC profiles): a blackbody of white_kelvin is neutral. What
    then falls outside Rec.709 is clipped at 0.
    """
    gains = (_XYZ_TO_CONES @ _D65_XYZ) / (_XYZ_TO_CONES @ _xyz(white_kelvin))
    balanced = np.linalg.solve(_XYZ_TO_CONES, gains * (_XYZ_TO_CONES @ _xyz(kelvin)))
    rgb = np.maximum(_XYZ_TO_RGB @ balanced, 0.0)
    return np.asarray(rgb / (rgb @ LUMA), np.float32)


def _xyz(kelvin: float) -> F64:
    """CIE XYZ (3,), Y = 1, of a blackbody."""
    x, y = chromaticity(kelvin)
    return np.array([x / y, 1.0, (1 - x - y) / y])
