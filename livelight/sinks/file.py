"""Frames into a video file, with everything of the original file that is not picture."""

from __future__ import annotations

import errno
import math
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from livelight.errors import OutputError
from livelight.frame import Frame
from livelight.scheduling import scheduling_kept
from livelight.sinks.codecs import Codec, codec_for, container_of, quality_options
from livelight.sinks.companions import Companions, check_audio
from livelight.sinks.pending_file import PendingFile
from livelight.video_color import RGB8, Rec709Writer

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class VideoFileSink:
    """Encodes frames at their own pts and copies the companions of ``copy_from`` beside them (Sink).

    Written as Rec.709, limited range, tagged so (ffv1: lossless RGB). pts are exact in .mp4 and .mov; .mkv and .webm
    round to milliseconds. Codecs that need even sides (h264, hevc) get a picture padded by one repeated row or column;
    ``notes`` then says so. The file has its final name only after ``close``.
    """

    def __init__(
        self,
        path: Path,
        codec: str = "auto",
        crf: int | None = None,
        rate: Fraction = Fraction(30),
        pixel_aspect: Fraction = Fraction(1),
        copy_from: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        """Check codec, container, place and whether the audio fits; raises SettingsError or OutputError. The encoder
        opens at the first frame.

        crf: constant quality, lower is better, None takes the codec's default. rate: nominal frames per second, a hint
        for the encoder. pixel_aspect: width / height of a pixel.
        """
        self.notes: list[str] = []
        self._codec: Codec = codec_for(codec, path)
        self._options = quality_options(self._codec, crf)
        self._rate = rate
        self._pixel_aspect = pixel_aspect
        self._copy_from = copy_from
        if copy_from is not None:
            check_audio(copy_from, path, container_of(path))
        self._file = PendingFile(path, overwrite)
        self._output: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._companions: Companions | None = None
        self._held: dict[int, int] = {}  # durations of what the encoder has not given back yet, by pts
        self._end = 0
        self._ended = False

    def write(self, frame: Frame) -> None:
        """Encode one frame; all frames have the size of the first. Raises OutputError when the disk refuses."""
        try:
            if self._stream is None:
                self._stream = self._open(frame)
            image = _pad(frame.image, *self._padded)
            pts = round(frame.pts * (frame.time_base / self._time_base))
            planes = frame.planes if image is frame.image else None
            encoded = self._writer.write(image, pts, self._time_base, planes)
            held = round(frame.duration * (frame.time_base / self._time_base))
            self._held[pts] = encoded.duration = held or self._frame_duration
            self._mux(self._stream, encoded)
        except (av.FFmpegError, OSError) as exc:
            raise self._refused(exc) from exc

    def _open(self, frame: Frame) -> VideoStream:
        codec, self._time_base = self._codec, frame.time_base
        self._frame_duration = max(1, round(1 / (self._rate * self._time_base)))
        self._padded = _padded_size(codec, frame.width, frame.height)
        if self._padded != (frame.width, frame.height):
            wide, high = self._padded
            self.notes.append(
                f"{self._file.path.name} is {wide}x{high}: {codec.encoder} cannot store {frame.width}x{frame.height}, "
                "so the border pixels are repeated (--codec vp9 keeps odd sizes)."
            )
        self._writer = Rec709Writer(codec.pix_fmt)
        self._output = av.open(f"file:{self._file.temporary}", "w", format=container_of(self._file.path))
        stream = self._add_encoder(self._output)
        if self._copy_from is not None:
            self._companions = Companions.of_file(self._copy_from, self._output, self._file.path)
            self.notes += self._companions.notes
        self._set_muxer_options(self._output)
        with scheduling_kept():
            self._output.start_encoding()
        return stream

    def _add_encoder(self, output: OutputContainer) -> VideoStream:
        stream = output.add_stream(self._codec.encoder, rate=self._rate, options=self._options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self._padded
        stream.pix_fmt = self._codec.pix_fmt
        stream.time_base = self._time_base
        context = stream.codec_context
        context.time_base = self._time_base
        context.sample_aspect_ratio = self._pixel_aspect
        self._writer.tag(context)
        return stream

    def _set_muxer_options(self, output: OutputContainer) -> None:
        if output.format.name in ("mp4", "mov"):
            # The index goes to the front, so that browsers start at once. Apple's own tags need their own atom.
            apple = any(key.startswith("com.") for key in output.metadata)
            output.container_options["movflags"] = "+faststart" + ("+use_metadata_tags" if apple else "")
            bases = [stream.time_base for stream in output.streams if stream.time_base]
            output.container_options["movie_timescale"] = str(_movie_timescale(self._time_base, bases))

    def _mux(self, stream: VideoStream, encoded: av.VideoFrame | None) -> None:
        assert self._output is not None
        for packet in stream.encode(encoded):
            if packet.pts is not None and not _plausible(packet.dts, packet.pts):
                packet.dts = packet.pts
            if packet.pts is not None:
                self._set_duration(packet, packet.pts)
            if self._companions is not None and packet.dts is not None:
                self._companions.copy_until(float(packet.dts * packet.time_base))
            self._output.mux_one(packet)

    def _set_duration(self, packet: Packet[Any], pts: int) -> None:
        """Encoders forget durations, and the last frame would be shown as long as the others are on average."""
        assert self._output is not None
        packet.duration = self._held.pop(pts, self._frame_duration)
        self._end = max(self._end, pts + packet.duration)
        if not self._held and self._output.format.name in ("mp4", "mov"):
            packet.duration = self._end - pts  # the last one decoded need not be the last one shown: it ends the track

    def close(self) -> None:
        """Finish the file under its final name; raises OutputError if no frame came or the disk refuses."""
        if not self._ended:
            self._finish(whole=True)
            self._file.commit()

    def keep_partial(self) -> Path | None:
        """End early: a playable file of the first free name among NAME.partial.EXT, NAME.partial-2.EXT and so on,
        audio cut at the last frame; None if no frame came.
        """
        if self._ended:
            return None
        if self._stream is None:
            self.abort()
            return None
        self._finish(whole=False)
        return self._file.commit_partial()

    def _finish(self, whole: bool) -> None:
        if self._stream is None or self._output is None:
            self.abort()
            raise OutputError(f"No frame came for {self._file.path}; nothing was written.")
        try:
            self._mux(self._stream, None)
            if whole and self._companions is not None:
                self._companions.copy_rest()
            self._output.close()
        except (av.FFmpegError, OSError) as exc:
            self.abort()
            raise self._refused(exc) from exc
        self._ended = True
        if self._companions is not None:
            self._companions.close()

    def abort(self) -> None:
        """Give up: nothing stays on the disk."""
        if self._ended:
            return
        self._ended = True
        if self._companions is not None:
            self._companions.close()
        if self._output is not None:
            with suppress(av.FFmpegError, OSError):  # the trailer of a file that the next line deletes
                self._output.close()
        self._file.discard()

    def _refused(self, exc: av.FFmpegError | OSError) -> OutputError:
        path, reason = self._file.path, exc.strerror
        if exc.errno in _DISK_FULL:
            return OutputError(f"Writing {path} failed: {reason}; free some space or choose another output.")
        if self._stream is None:
            wide, high = self._padded
            encoder = self._codec.encoder
            return OutputError(f"{encoder} cannot encode {wide}x{high} into {path}: {reason}; try another --codec.")
        return OutputError(f"Writing {path} failed: {reason}; choose another output.")


def _plausible(dts: int | None, pts: int) -> bool:
    """False for the undefined dts that x265 gives clips of one or two frames; those are decoded in order of pts."""
    return dts is not None and 0 <= pts - dts < 1 << 31


def _movie_timescale(video: Fraction, others: list[Fraction]) -> int:
    """Units per second in which mp4 stores the streams' starts: fine enough for the picture, if possible for all."""
    fine = math.lcm(video.denominator, *(base.denominator for base in others))
    units = fine if fine <= 1_000_000 else video.denominator
    return units * math.ceil(1000 / units)


def _padded_size(codec: Codec, width: int, height: int) -> tuple[int, int]:
    step = codec.multiple
    wide, high = (max(codec.min_side, -(-side // step) * step) for side in (width, height))
    return wide, high


def _pad(image: RGB8, width: int, height: int) -> RGB8:
    """The picture (h, w, 3) extended right and below to width x height by its border pixels."""
    below, right = height - image.shape[0], width - image.shape[1]
    if below == 0 and right == 0:
        return image
    padded: RGB8 = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return padded
