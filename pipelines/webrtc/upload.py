"""Uploads: a stranger's picture is written under a name of ours, decoded in a process of its own, and forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import tempfile
from pathlib import Path

from livelight.errors import LightError
from pipelines.webrtc.gallery import Exhibit, Gallery, Shelf

MAX_BYTES = 64 << 20
DECODE_S = 30.0
MAX_TITLE = 60


class TooManyUploads(LightError):
    """The shelf is full."""


class Uploads:
    """Decodes uploads, one at a time, into a temporary folder that goes with ``close``."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._folder = tempfile.TemporaryDirectory(prefix="livelight-", ignore_cleanup_errors=True)
        self._turn = asyncio.Semaphore(1)

    async def add(self, shelf: Shelf, title: str, data: bytes) -> Exhibit:
        """Decode and show an upload. Raises LightError in one sentence if it is unusable, too large or too slow."""
        if not self._gallery.reserve(shelf):
            raise TooManyUploads("the shelf is full; delete an upload first")
        stem = Path(self._folder.name) / secrets.token_hex(8)
        raw = stem.with_suffix(".upload")
        try:
            async with self._turn:
                await asyncio.to_thread(raw.write_bytes, data)
                name = await _decoded(shelf, raw, stem)
        except BaseException:
            self._gallery.release(shelf)
            raise
        finally:
            raw.unlink(missing_ok=True)
        return self._gallery.add(shelf, plain_title(title), stem.parent / name)

    def close(self) -> None:
        """Remove all files."""
        self._folder.cleanup()


def plain_title(title: str) -> str:
    """A title without control characters, of bounded length."""
    text = " ".join("".join(c if c.isprintable() else " " for c in title).split())[:MAX_TITLE]
    return text or "upload"


async def _decoded(shelf: Shelf, raw: Path, stem: Path) -> str:
    """The name of the clean file. Kills the decoder when it takes too long, or nobody waits any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pipelines.webrtc.decode_upload",
        shelf,
        str(raw),
        str(stem),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DECODE_S):
            out, said = await process.communicate()
    except TimeoutError:
        raise LightError(f"the upload took more than {DECODE_S:.0f} seconds to decode; make it smaller") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == 0:
        return out.decode().strip()
    lines = said.decode(errors="replace").strip().splitlines()
    if process.returncode == 1 and lines and len(lines) <= 2:
        raise LightError(lines[-1])
    raise LightError("the upload cannot be decoded; it is corrupt or needs too much memory")
