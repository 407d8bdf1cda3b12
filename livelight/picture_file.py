"""Reading picture files safely: the kind is told from the content, the size is read before any pixel is decoded."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import LightError
from livelight.quiet_opencv import quiet_opencv

Kind = Literal["hdr", "exr", "png", "jpeg", "webp"]

MAX_PIXELS = 8192 * 4096
"""Largest picture or panorama that is read (400 MB as float32); a larger one is refused before it is decoded."""

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"#?", "hdr"),
    (b"\x76\x2f\x31\x01", "exr"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
)


def kind_of(path: Path) -> Kind | None:
    """What kind of picture a file holds, by its first bytes; None = none that is read here. Raises LightError."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise LightError(f"{path}: no such file.") from None
    except OSError as error:
        raise LightError(f"{path}: cannot be read ({error.strerror}).") from error
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)


def check_size(width: int, height: int, path: Path) -> None:
    """Raise LightError if a picture of this size is too large to decode."""
    if width * height > MAX_PIXELS:
        raise LightError(f"{path}: {width}x{height} pixels are more than the limit of {MAX_PIXELS}; make it smaller.")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a PNG, JPEG or WebP as uint8 (h, w, 3) RGB, sRGB, turned as its EXIF says, alpha dropped.

    Raises LightError for a file that is missing, of another kind, corrupt, or over MAX_PIXELS.
    """
    kind = kind_of(path)
    if kind not in ("png", "jpeg", "webp"):
        raise LightError(f"{path}: expected a PNG, JPEG or WebP picture, and this is none.")
    data = path.read_bytes()
    size = picture_size(data, kind)
    if size is None:
        raise LightError(f"{path}: the file is corrupt, its size cannot be read.")
    check_size(*size, path)
    try:
        with quiet_opencv:
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise LightError(f"{path}: the file is corrupt and cannot be decoded.") from error
    if decoded is None:
        raise LightError(f"{path}: the file is corrupt and cannot be decoded.")
    return np.asarray(decoded, np.uint8)


def picture_size(data: bytes, kind: Kind) -> tuple[int, int] | None:
    """Width and height that a PNG, JPEG or WebP declares, without decoding it; None if the header is broken."""
    try:
        if kind == "png":
            return struct.unpack(">II", data[16:24])
        return _webp_size(data) if kind == "webp" else _jpeg_size(data)
    except (struct.error, IndexError):
        return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Sizes in the three WebP chunk forms (RFC 9649)."""
    form = data[12:16]
    if form == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if form == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Size in the start-of-frame segment (ITU-T T.81, B.2.2)."""
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None
