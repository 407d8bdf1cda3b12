"""Reading panorama files: Radiance .hdr, OpenEXR .exr, and 2:1 PNG, JPEG or WebP pictures."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
from numpy.typing import NDArray

from livelight.errors import LightError
from livelight.highlights import expanded
from livelight.picture_file import check_size, kind_of, read_picture
from livelight.quiet_opencv import quiet_opencv

F32 = NDArray[np.float32]

_RESOLUTION = re.compile(rb"\n[-+]Y (\d+) [-+]X (\d+)\n|\n[-+]X (\d+) [-+]Y (\d+)\n")


def read_panorama(path: Path) -> F32:
    """Read a panorama as float32 (h, 2h, 3), linear, Rec.709; livelight.panorama.check has yet to pass it.

    .hdr: Radiance RGBE, flat or run-length coded, written from the top left (-Y +X), as all common programs do.
    .exr: half or float, every compression of the OpenEXR library (DWAB too), channels R, G, B (alpha is dropped: the
    colours of an EXR are premultiplied) or Y; of several parts the first.
    .png, .jpg, .webp: 8-bit sRGB, expanded by livelight.highlights.
    The kind is told by the content, not by the name. Raises LightError.
    """
    kind = kind_of(path)
    if kind == "hdr":
        return _read_hdr(path)
    if kind == "exr":
        return _read_exr(path)
    if kind is None:
        raise LightError(f"{path}: expected a Radiance .hdr, an OpenEXR .exr or a PNG, JPEG or WebP picture.")
    return expanded(read_picture(path))


def _read_hdr(path: Path) -> F32:
    data = path.read_bytes()
    found = _RESOLUTION.search(data[:65536])
    if found is None:
        raise LightError(f"{path}: the file is corrupt, it has no Radiance resolution line.")
    if not found.group().startswith(b"\n-Y") or b" +X" not in found.group():
        turned = found.group().strip().decode()
        raise LightError(f"{path}: its rows are stored as '{turned}'; save it again from the top left (-Y +X).")
    check_size(int(found.group(2)), int(found.group(1)), path)
    try:
        with quiet_opencv:
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise LightError(f"{path}: the file is corrupt, its pixels cannot be decoded.") from error
    if decoded is None or decoded.dtype != np.float32 or decoded.ndim != 3:
        raise LightError(f"{path}: the file is corrupt, its pixels cannot be decoded.")
    return np.ascontiguousarray(decoded[:, :, ::-1])


def _read_exr(path: Path) -> F32:
    try:
        with OpenEXR.File(str(path), header_only=True) as header_file:
            low, high = header_file.header()["dataWindow"]
        width, height = (int(high[i]) - int(low[i]) + 1 for i in range(2))
        check_size(width, height, path)
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = {name: np.asarray(channel.pixels, np.float32) for name, channel in file.channels().items()}
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise LightError(f"{path}: the file is corrupt or no OpenEXR picture ({error}).") from error
    names = ("Y", "Y", "Y") if "Y" in channels and "R" not in channels else ("R", "G", "B")
    if not set(names) <= set(channels):
        raise LightError(f"{path}: expected the channels R, G, B, found {', '.join(sorted(channels))}.")
    if any(channels[name].shape != (height, width) for name in names):
        raise LightError(f"{path}: its colour channels are subsampled; save it again with R, G, B of full size.")
    return np.stack([channels[name] for name in names], axis=-1)
