"""Decoding of one upload in a process of its own: ``python -m pipelines.webrtc.decode_upload SHELF IN OUT``.

The picture comes from a stranger. Its size is read before it is decoded (livelight.picture_file), memory and processor
time are limited where the system can, and the parent kills what takes too long. OUT.* is written anew from pixels, so
that the server itself never reads what was sent. Prints the name of the file; a refusal goes to stderr, with status 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

MEMORY = 3 << 30
CPU_S = 20

MAX_PANORAMA_ROWS = 1024
MAX_SIDE = 1920


def main() -> int:
    """Decode as the arguments say; the exit status."""
    _limit()
    from livelight.errors import LiveLightError

    shelf, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    try:
        print(_clean(shelf, source, target).name)
    except LiveLightError as exc:
        print(str(exc).replace(str(source), "the upload"), file=sys.stderr)
        return 1
    except MemoryError:
        print("the upload needs too much memory to decode; make it smaller", file=sys.stderr)
        return 1
    return 0


def _limit() -> None:
    """Bound this process, where the system has the calls (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _clean(shelf: str, source: Path, target: Path) -> Path:
    """Read ``source`` safely; write what the server needs of it: an .exr panorama, or a .png picture."""
    from livelight.errors import LightError
    from livelight.panorama import check
    from livelight.panorama_file import read_panorama
    from livelight.picture_file import kind_of, picture_size, read_picture

    kind = kind_of(source)
    if kind is None:
        raise LightError("expected a .hdr, .exr, .jpg, .png or .webp picture, and the upload is none.")
    size = picture_size(source.read_bytes(), kind) if kind not in ("hdr", "exr") else None
    if shelf == "envs" and (kind in ("hdr", "exr") or (size is not None and size[0] == 2 * size[1])):
        panorama = read_panorama(source)
        check(panorama, "the upload")
        return _write_panorama(panorama, target)
    if kind in ("hdr", "exr"):
        raise LightError("a background must be a .jpg, .png or .webp picture.")
    return _write_picture(read_picture(source), target)


def _write_panorama(panorama: object, target: Path) -> Path:
    import cv2
    import numpy as np
    import OpenEXR

    image = np.asarray(panorama, np.float32)
    while image.shape[0] > MAX_PANORAMA_ROWS:
        rows = max(image.shape[0] // 2, MAX_PANORAMA_ROWS)
        image = cv2.resize(image, (2 * rows, rows), interpolation=cv2.INTER_AREA)
    path = target.with_suffix(".exr")
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(image)}) as file:
        file.write(str(path))
    return path


def _write_picture(picture: object, target: Path) -> Path:
    import cv2
    import numpy as np

    from livelight.errors import OutputError

    image = np.asarray(picture, np.uint8)
    scale = MAX_SIDE / max(image.shape[:2])
    if scale < 1:
        size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    path = target.with_suffix(".png")
    if not cv2.imwrite(str(path), image[:, :, ::-1]):
        raise OutputError("the server cannot keep the upload; its disk may be full.")
    return path


if __name__ == "__main__":
    sys.exit(main())
