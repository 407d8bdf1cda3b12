"""A still picture as a source of one frame."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import InputError
from livelight.frame import Frame
from livelight.quiet_opencv import quiet_opencv

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

_ORIENTATION_TAG = 0x0112


class PictureSource:
    """One upright frame from a png, jpg or webp (Source).

    EXIF orientation is baked in, alpha is dropped, 16 bits become 8, of an animation the first picture counts.
    ``metadata`` holds what the file says besides (EXIF with the orientation reset, ICC profile, XMP) as OpenCV's
    (types, chunks), for PictureSink. The pixels are taken as sRGB; since the ICC profile travels along, a picture in
    another space comes out in that space.
    """

    live = False
    frame_count: int | None = 1
    rate = Fraction(1)
    duration_s: float | None = None

    def __init__(self, path: Path) -> None:
        """Read the whole file; raises InputError."""
        self.path = path
        self.notes: list[str] = []
        data = np.frombuffer(_read_bytes(path), np.uint8)
        bgr, found = _decode(path, data) if data.size else (None, [])
        if bgr is None or bgr.size == 0:
            raise InputError(f"{path} is no readable picture, expected a whole png, jpg or webp file.")
        self._image: NDArray[np.uint8] = np.ascontiguousarray(bgr[:, :, ::-1])
        self.height, self.width = self._image.shape[:2]
        self.metadata = [(kind, _upright(kind, chunk)) for kind, chunk in found]

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(self._image, 0, Fraction(1), time.monotonic())

    def close(self) -> None:
        pass


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected a video or picture file.")
    try:
        return path.read_bytes()
    except FileNotFoundError as exc:
        raise InputError(f"{path} does not exist; check the name.") from exc
    except OSError as exc:
        raise InputError(f"{path} may not be read: {exc.strerror}.") from exc


def _decode(path: Path, data: NDArray[np.uint8]) -> tuple[NDArray[np.uint8] | None, list[tuple[int, bytes]]]:
    try:
        with quiet_opencv:
            bgr, kinds, chunks = cv2.imdecodeWithMetadata(data, flags=cv2.IMREAD_COLOR)
    except cv2.error as exc:
        raise InputError(f"{path} cannot be decoded as a picture: {exc.err}.") from exc
    found = [(int(kind), np.asarray(chunk).tobytes()) for kind, chunk in zip(kinds, chunks, strict=True)]
    return bgr, found


def _upright(kind: int, chunk: bytes) -> bytes:
    """The same EXIF block with orientation 1 in its first directory; other blocks and broken ones as they are."""
    order = {b"II": "<", b"MM": ">"}.get(chunk[:2])
    if kind != cv2.IMAGE_METADATA_EXIF or order is None or len(chunk) < 10:
        return chunk
    patched = bytearray(chunk)
    (directory,) = struct.unpack_from(order + "I", chunk, 4)
    if directory + 2 > len(chunk):
        return chunk
    (entries,) = struct.unpack_from(order + "H", chunk, directory)
    for entry in range(directory + 2, min(directory + 2 + 12 * entries, len(chunk) - 11), 12):
        if struct.unpack_from(order + "H", chunk, entry)[0] == _ORIENTATION_TAG:
            struct.pack_into(order + "H", patched, entry + 8, 1)
    return bytes(patched)
