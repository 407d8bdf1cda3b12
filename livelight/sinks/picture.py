"""One frame into a picture file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.errors import OutputError, SettingsError
from livelight.frame import Frame
from livelight.quiet_opencv import quiet_opencv
from livelight.sinks.pending_file import PendingFile
from livelight.sources.picture import PICTURE_SUFFIXES

_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_PARAMETERS = {".jpg": _QUALITY, ".jpeg": _QUALITY, ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95], ".png": []}

_BLOCKS = {
    cv2.IMAGE_METADATA_EXIF: "EXIF block",
    cv2.IMAGE_METADATA_XMP: "XMP block",
    cv2.IMAGE_METADATA_ICCP: "ICC profile",
}

Metadata = list[tuple[int, bytes]]
"""OpenCV's kind of each block, and its bytes."""


class PictureSink:
    """Writes its only frame as png, jpg (quality 95, 4:4:4) or webp (quality 95), by the name's extension (Sink)."""

    def __init__(self, path: Path, metadata: Metadata | None = None, overwrite: bool = False) -> None:
        """metadata: EXIF, ICC, XMP blocks as PictureSource reads them; what the file cannot take is left out and told
        in ``notes``. Raises SettingsError or OutputError.
        """
        self.notes: list[str] = []
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            raise SettingsError(f"Cannot write a picture as {path.name!r}; use one of {', '.join(PICTURE_SUFFIXES)}.")
        self._metadata = metadata or []
        self._file = PendingFile(path, overwrite)
        self._written = False
        self._ended = False

    def write(self, frame: Frame) -> None:
        """Encode and store the frame under the temporary name."""
        if self._written:
            raise OutputError(f"{self._file.path} is a picture and takes one frame; write a video as .mp4 or .mkv.")
        suffix = self._file.path.suffix.lower()
        bgr = np.ascontiguousarray(frame.image[:, :, ::-1])
        metadata = self._usable()
        data = _encoded(suffix, bgr, metadata)
        if data is None and metadata:
            data = _encoded(suffix, bgr, self._accepted(suffix, metadata))
        if data is None:
            size = f"{frame.width}x{frame.height}"
            raise OutputError(f"{self._file.path}: cannot encode {size} as {suffix}; choose another size or format.")
        try:
            self._file.temporary.write_bytes(data)
        except OSError as exc:
            raise OutputError(f"Writing {self._file.path} failed: {exc.strerror}; choose another output.") from exc
        self._written = True

    def _usable(self) -> Metadata:
        """The blocks without what follows their end, and without a colour profile that is broken or not for RGB."""
        usable = []
        for kind, chunk in self._metadata:
            block = _profile_of(chunk) if kind == cv2.IMAGE_METADATA_ICCP else chunk
            if block is None:
                self.notes.append(
                    f"The input's ICC profile is broken or not for RGB; {self._file.path.name} goes without, as sRGB."
                )
            else:
                usable.append((kind, block.rstrip(b"\0") if kind == cv2.IMAGE_METADATA_XMP else block))
        return usable

    def _accepted(self, suffix: str, metadata: Metadata) -> Metadata:
        """The blocks that a file of this kind takes, tried on one pixel."""
        accepted: Metadata = []
        for kind, chunk in metadata:
            if _encoded(suffix, np.zeros((1, 1, 3), np.uint8), [*accepted, (kind, chunk)]) is None:
                name = _BLOCKS.get(kind, "metadata block")
                self.notes.append(
                    f"The input's {name} of {len(chunk)} bytes does not fit into {self._file.path.name}, which goes "
                    "without."
                )
            else:
                accepted.append((kind, chunk))
        return accepted

    def close(self) -> None:
        """Give the file its name; raises OutputError if no frame came."""
        if self._ended:
            return
        if not self._written:
            self.abort()
            raise OutputError(f"No frame came for {self._file.path}; nothing was written.")
        self._ended = True
        self._file.commit()

    def keep_partial(self) -> Path | None:
        """Half a picture is of no use: as ``abort``."""
        self.abort()
        return None

    def abort(self) -> None:
        if not self._ended:
            self._ended = True
            self._file.discard()


def _encoded(suffix: str, bgr: NDArray[np.uint8], metadata: Metadata) -> bytes | None:
    """A picture file; None where OpenCV cannot make one of this picture with these blocks.

    For PNG, OpenCV takes XMP as a text that ends with a zero, and would read on beyond it.
    """
    kinds = [kind for kind, _ in metadata]
    ended = [
        chunk + b"\0" if kind == cv2.IMAGE_METADATA_XMP and suffix == ".png" else chunk for kind, chunk in metadata
    ]
    chunks = [np.frombuffer(chunk, np.uint8).reshape(1, -1) for chunk in ended]
    try:
        with quiet_opencv:
            done, data = cv2.imencodeWithMetadata(suffix, bgr, kinds, chunks, _PARAMETERS[suffix])
    except cv2.error:
        return None
    return data.tobytes() if done and len(data) else None


def _profile_of(chunk: bytes) -> bytes | None:
    """The ICC profile (ICC.1:2022, 7.2) without what follows its end; None if it is broken or not for RGB."""
    size = int.from_bytes(chunk[:4], "big")
    whole = 128 < size <= len(chunk) and chunk[36:40] == b"acsp"
    return chunk[:size] if whole and chunk[16:20] == b"RGB " else None
