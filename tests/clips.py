"""Small clips made on the spot, each with exactly the property that a test asks for."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from livelight.scheduling import scheduling_kept

RGB8 = NDArray[np.uint8]

AUDIO_RATE = 48000
AUDIO_BLOCK = 1024


def flat(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> RGB8:
    return np.broadcast_to(np.uint8(colour), (height, width, 3)).copy()


def moving(count: int, width: int = 64, height: int = 48) -> list[RGB8]:
    """Pictures that differ from each other: a bright column walks to the right."""
    pictures = [flat((30, 60, 90), width, height) for _ in range(count)]
    for index, picture in enumerate(pictures):
        picture[:, index % width] = 230
    return pictures


def corners(width: int = 64, height: int = 48) -> RGB8:
    """Red top left, green top right, blue bottom left, white bottom right."""
    picture = flat((255, 255, 255), width, height)
    picture[: height // 2, : width // 2] = (255, 0, 0)
    picture[: height // 2, width // 2 :] = (0, 255, 0)
    picture[height // 2 :, : width // 2] = (0, 0, 255)
    return picture


def write_clip(
    path: Path,
    pictures: Sequence[RGB8],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: int = 30,
    time_base: Fraction | None = None,
    pts: Sequence[int] | None = None,
    audio_s: float = 0.0,
    audio_codec: str = "aac",
    audio_start_s: float = 0.0,
    rotation: tuple[float, bool, bool] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    chapters: list[Any] | None = None,
    pixel_aspect: Fraction | None = None,
) -> Path:
    """Write ``pictures`` at ``pts`` (default 0, 1, 2 ... in 1 / rate) and, if asked, a sound with a beep per second."""
    time_base = time_base or Fraction(1, rate)
    times = pts if pts is not None else range(len(pictures))
    with av.open(str(path), "w", container_options=container_options or {}) as output:
        output.metadata.update(metadata or {})
        video: Any = output.add_stream(codec, rate=rate, options=options or _FAST.get(codec, {}))
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt, video.time_base = pix_fmt, time_base
        video.codec_context.time_base = time_base
        if pixel_aspect:
            video.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation:
            video.set_display_rotation(rotation[0], hflip=rotation[1], vflip=rotation[2])
        sound: Any = output.add_stream(audio_codec, rate=AUDIO_RATE) if audio_s else None
        if chapters:
            output.set_chapters(chapters)
        with scheduling_kept():
            output.start_encoding()
        blocks = _beeps(audio_s, audio_start_s)
        for picture, moment in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt, threads=1)
            frame.pts, frame.time_base = moment, time_base
            output.mux(video.encode(frame))
            while sound and blocks and blocks[0].time <= moment * time_base:
                output.mux(sound.encode(blocks.pop(0)))
        for block in blocks if sound else []:
            output.mux(sound.encode(block))
        for stream in [video, sound] if sound else [video]:
            output.mux(stream.encode(None))
    return path


_FAST = {
    "libx264": {"preset": "ultrafast", "crf": "10"},
    "libx265": {"preset": "ultrafast", "crf": "10", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "12", "crf": "10"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "10"},
}


def _beeps(length_s: float, start_s: float) -> list[av.AudioFrame]:
    """Stereo blocks with a 1 kHz tone in the first tenth of each second."""
    blocks = []
    for index in range(int(length_s * AUDIO_RATE / AUDIO_BLOCK)):
        moment = index * AUDIO_BLOCK + np.arange(AUDIO_BLOCK)
        tone = 0.5 * np.sin(2 * np.pi * 1000 * moment / AUDIO_RATE) * (moment % AUDIO_RATE < AUDIO_RATE // 10)
        block = av.AudioFrame.from_ndarray(np.tile(np.float32(tone), (2, 1)), format="fltp", layout="stereo")
        block.sample_rate, block.time_base = AUDIO_RATE, Fraction(1, AUDIO_RATE)
        block.pts = index * AUDIO_BLOCK + round(start_s * AUDIO_RATE)
        blocks.append(block)
    return blocks


def raw_clip(path: Path, planes: Sequence[int], pix_fmt: str, size: tuple[int, int] = (64, 48), **tags: int) -> Path:
    """A lossless one-frame ffv1 clip with constant planes, bit-exact, and colour tags as frame attributes."""
    frame = av.VideoFrame(*size, pix_fmt)
    deep = any(component.bits > 8 for component in frame.format.components)
    for plane, value in zip(frame.planes, planes, strict=True):
        count = plane.buffer_size // (2 if deep else 1)
        plane.update(np.full(count, value, np.uint16 if deep else np.uint8).tobytes())
    frame.pts, frame.time_base = 0, Fraction(1, 30)
    with av.open(str(path), "w") as output:
        video: Any = output.add_stream("ffv1", rate=30)
        video.width, video.height = size
        video.pix_fmt = pix_fmt
        for tag, value in tags.items():
            setattr(frame, tag, value)
            setattr(video.codec_context, tag, value)
        output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return path


def packets_of(path: Path, kind: str, number: int = 0) -> list[tuple[Fraction, Fraction, bytes]]:
    """(pts in s, duration in s, bytes) of every packet of the stream, in file order."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[number]
        return [
            (p.pts * p.time_base, (p.duration or 0) * p.time_base, bytes(p))
            for p in container.demux(stream)
            if p.pts is not None
        ]


def pictures_of(path: Path) -> list[tuple[Fraction, RGB8]]:
    """(pts in s, picture) of every frame, by PyAV alone and without rotation."""
    with av.open(str(path)) as container:
        return [(f.pts * f.time_base, f.to_ndarray(format="rgb24", threads=1)) for f in container.decode(video=0)]
