"""Frames of a video file: anything that FFmpeg reads."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from livelight.errors import InputError
from livelight.frame import Frame
from livelight.nvidia_video import nvdec
from livelight.orientation import Orientation
from livelight.video_color import SrgbReader, hdr_name

_SLACK_S = 0.5
"""A file may end this much before the length that its header states; more is a truncated file."""


class VideoFileSource:
    """Decodes the main video stream of a file into upright sRGB frames (Source).

    Rotation and mirroring tags are baked in, pts and time_base are the stream's own (with mp4 edit lists applied).
    A stream that changes size is scaled to its first size. A packet that cannot be decoded is skipped and counted in
    ``damaged``. A file that ends before its header says raises InputError after its last good frame.

    gpu: number of the GPU whose NVDEC decodes, None for the CPU. Where NVDEC fails, at the start or in the middle, the
    CPU decodes from there on, frame for frame, and ``notes`` says so.
    """

    live = False

    def __init__(self, path: Path, gpu: int | None = None) -> None:
        """Open and decode the first frame; raises InputError for anything that holds no picture."""
        self.path = path
        self.damaged = 0
        self._left_nvdec: int | None = None
        self._hdr: str | None = None
        self._container = self._open_on(gpu)
        try:
            self._find_stream()
            self._reader = SrgbReader()
            self._decoded = self._decode()
            self._first = self._first_frame()
        except BaseException:
            self._container.close()
            raise
        self._describe(self._first)

    def _open_on(self, gpu: int | None) -> InputContainer:
        if gpu is not None:
            try:
                return open_input(self.path, nvdec(gpu))
            except InputError:  # perhaps the GPU's fault: the CPU tells
                self._left_nvdec = 0
        return open_input(self.path)

    def _find_stream(self) -> None:
        self._stream = main_video(self._container, self.path)
        self._stream.thread_type = "AUTO"

    def _describe(self, first: av.VideoFrame) -> None:
        stream = self._stream
        matrix = first.side_data.get("DISPLAYMATRIX")
        self._orientation = Orientation.from_display_matrix(bytes(matrix)) if matrix else Orientation()
        self._stored_size = (first.width, first.height)
        turned = self._orientation.transpose
        self.width, self.height = self._stored_size[::-1] if turned else self._stored_size
        self.rate: Fraction = stream.average_rate or stream.guessed_rate or Fraction(30)
        self.duration_s = _duration_s(self._container, stream)
        guess = round(self.duration_s * self.rate) if self.duration_s else None
        self.frame_count: int | None = stream.frames or guess
        aspect = stream.sample_aspect_ratio or Fraction(1)
        self.pixel_aspect: Fraction = 1 / aspect if turned else aspect
        """Width of a pixel divided by its height, as shown."""
        self._hdr = hdr_name(first)

    @property
    def notes(self) -> list[str]:
        """Sentences that the user should read; complete at the end of the stream."""
        name, notes = self.path.name, []
        if self._hdr:
            notes.append(f"{name} is {self._hdr}; it was brought to SDR, light above reference white is clipped.")
        if self._left_nvdec is not None:
            notes.append(f"NVDEC failed on {name} after {self._left_nvdec} frames; the CPU decoded the others.")
        if self.damaged:
            notes.append(f"{self.damaged} packets of {name} were damaged and are missing in the result.")
        return notes

    def _first_frame(self) -> av.VideoFrame:
        first = next(self._decoded, None)
        if first is None:
            damage = f" ({self.damaged} damaged packets)" if self.damaged else ""
            raise InputError(f"{self.path} holds no video frame that can be decoded{damage}; nothing to relight.")
        return first

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        packets, given, to_skip = self._container.demux(self._stream), 0, 0
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as exc:
                raise InputError(f"{self.path} breaks off: {exc.strerror}; the frames before it are good.") from exc
            if packet is None:
                return
            try:
                for frame in packet.decode():
                    if to_skip:
                        to_skip -= 1
                        continue
                    given += 1
                    yield frame
            except av.FFmpegError:
                if self._stream.codec_context.is_hwaccel:
                    self._leave_nvdec(given)
                    packets, to_skip = self._container.demux(self._stream), given
                else:
                    self.damaged += 1  # the stream goes on at the next packet, as in every player

    def _leave_nvdec(self, given: int) -> None:
        """Open the file anew on the CPU; it tells whether the GPU or the packet was at fault."""
        self._container.close()
        self._left_nvdec = given
        self._container = open_input(self.path)
        self._find_stream()

    def __iter__(self) -> Iterator[Frame]:
        """Frames with strictly increasing pts. One pass; a second call goes on where the first stopped."""
        step = 1 / (self.rate * self._first.time_base) if self._first.time_base else Fraction(1)
        last_pts: int | None = None
        end_pts: int | Fraction = 0
        pending: av.VideoFrame | None = self._first
        while (decoded := pending or next(self._decoded, None)) is not None:
            pending = None
            pts = decoded.pts
            if pts is None:  # raw streams carry no times
                pts = 0 if last_pts is None else last_pts + max(1, round(step))
            if last_pts is not None and pts <= last_pts:
                pts = last_pts + 1
            last_pts = pts
            yield self._upright(decoded, pts)
            end_pts = max(end_pts, pts + (decoded.duration or step))
        if last_pts is not None:
            self._check_end(float(end_pts * self._time_base(self._first)))

    def _upright(self, decoded: av.VideoFrame, pts: int) -> Frame:
        captured_s = time.monotonic()
        try:
            image = self._reader.read(decoded, self._stored_size)
        except av.FFmpegError as exc:
            raise InputError(f"{self.path}: cannot convert {decoded.format.name} pixels: {exc.strerror}") from exc
        duration = decoded.duration or 0
        return Frame(self._orientation.apply(image), pts, self._time_base(decoded), captured_s, duration=duration)

    def _time_base(self, decoded: av.VideoFrame) -> Fraction:
        return decoded.time_base or self._stream.time_base or 1 / self.rate

    def _check_end(self, end_s: float) -> None:
        stated_s = _stated_end_s(self._stream)
        if stated_s is not None and end_s < stated_s - max(_SLACK_S, 3 / float(self.rate)):
            raise InputError(
                f"{self.path} is truncated: its header promises video until {stated_s:.1f} s, it ends at {end_s:.1f} s."
            )

    def rewind(self) -> bool:
        """Go back to the first frame with the same decoder (Rewindable); where seeking fails, this source is spent."""
        self._decoded.close()
        start_pts = self._first.pts
        if start_pts is None:  # a raw stream: nothing tells where a seek leads
            return False
        try:
            self._container.seek(start_pts, stream=self._stream)
            self._decoded = self._decode()
            first = next(self._decoded, None)
        except (av.FFmpegError, InputError):
            return False
        if first is None or first.pts != start_pts:
            return False
        self._first = first
        return True

    def close(self) -> None:
        self._decoded.close()
        self._container.close()


def open_input(path: Path, hardware: HWAccel | None = None) -> InputContainer:
    """Open a media file for reading; raises InputError in words of the user. hardware: what is to decode it."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected a video or picture file.")
    try:
        container: InputContainer = av.open(f"file:{path}", "r", metadata_errors="replace", hwaccel=hardware)
    except FileNotFoundError as exc:
        raise InputError(f"{path} does not exist; check the name.") from exc
    except PermissionError as exc:
        raise InputError(f"{path} may not be read; check its permissions.") from exc
    except (av.FFmpegError, OSError) as exc:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes), expected a video or picture file.") from exc
        raise InputError(f"{path} cannot be read as video: {_diagnosis(path, exc)}.") from exc
    return container


def _diagnosis(path: Path, exc: av.FFmpegError | OSError) -> str:
    if _lacks_index(path):
        return "its index (moov) is missing or cut, so the recording was broken off; a tool like untrunc may repair it"
    if isinstance(exc, EOFError):
        return "it holds no video frame, only a header"
    return f"{exc.strerror or exc} (FFmpeg does not know this format)"


def _lacks_index(path: Path) -> bool:
    """Whether this is an mp4 or mov without a whole moov box; walks over the boxes of the top level."""
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position + 8 <= size:
            file.seek(position)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if position == 0 and kind != b"ftyp":
                return False
            length = int.from_bytes(head[8:], "big") if length == 1 else length or size - position
            if kind == b"moov":
                return position + length > size
            position += max(length, 8)
    return position > 0


def main_video(container: InputContainer, path: Path) -> VideoStream:
    """The stream that players show: not cover art; raises InputError if there is none."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams}))
        raise InputError(f"{path} holds no video (only {kinds or 'an empty container'}), expected a video file.")
    best = container.streams.best("video")
    stream = next((s for s in streams if best is not None and s.index == best.index), streams[0])
    if stream.codec_context is None:
        raise InputError(f"{path} holds video in a format that this build of FFmpeg cannot decode.")
    return stream


def _stated_end_s(stream: VideoStream) -> float | None:
    """Where the header says that the video ends, seconds: mp4 in the stream, Matroska in a tag; or None."""
    if stream.duration and stream.time_base and stream.frames:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    tag = stream.metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    end_s = _stated_end_s(stream)
    if end_s is not None and stream.time_base:
        return end_s - float((stream.start_time or 0) * stream.time_base)
    return container.duration / av.time_base if container.duration else None
