"""One frame into a picture file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from livelight.errors import OutputError, SettingsError
from livelight.frame import Frame
from livelight.sinks.pending_file import PendingFile
from livelight.sources.picture import PICTURE_SUFFIXES

_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_PARAMETERS = {".jpg": _QUALITY, ".jpeg": _QUALITY, ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95], ".png": []}


class PictureSink:
    """Writes its only frame as png, jpg (quality 95, 4:4:4) or webp (quality 95), by the name's extension (Sink)."""

    def __init__(self, path: Path, metadata: list[tuple[int, bytes]] | None = None, overwrite: bool = False) -> None:
        """metadata: EXIF, ICC, XMP blocks as PictureSource reads them. Raises SettingsError or OutputError."""
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
        kinds = [kind for kind, _ in self._metadata]
        chunks = [np.frombuffer(chunk, np.uint8).reshape(1, -1) for _, chunk in self._metadata]
        bgr = np.ascontiguousarray(frame.image[:, :, ::-1])
        try:
            _, data = cv2.imencodeWithMetadata(suffix, bgr, kinds, chunks, _PARAMETERS[suffix])
            self._file.temporary.write_bytes(data.tobytes())
        except cv2.error as exc:
            raise OutputError(f"{self._file.path}: cannot encode {frame.width}x{frame.height}: {exc.err}.") from exc
        except OSError as exc:
            raise OutputError(f"Writing {self._file.path} failed: {exc.strerror}; choose another output.") from exc
        self._written = True

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
