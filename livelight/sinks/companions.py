"""What travels along with the picture: audio, subtitles, cover art, attachments, data, chapters and tags."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, DataStream, Discard, Disposition, Stream
from av.video.stream import VideoStream

from livelight.errors import OutputError
from livelight.sources.file import main_video, open_input

_FILE_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "rotate", "bps"}
"""Tags that describe the old file's form, not its content."""


class Companions:
    """Copies all but the main video stream of one file into another, packet by packet, times and bytes untouched.

    The file is opened a second time, beside the source that decodes it, and read only as far as the video has come:
    memory stays constant. Streams that the new container cannot hold are left out with a sentence in ``notes``; for
    audio see ``check_audio``.
    """

    def __init__(self, source: InputContainer, shown: VideoStream, output: OutputContainer, path: Path) -> None:
        """Add the streams, chapters and tags to ``output``; its header must not be written yet.

        source: the original, owned from now on. shown: its stream that is relit and not copied. output: already holds
        the relit stream as its first. path: the output's name, for words.
        """
        self.notes: list[str] = []
        self._source = source
        self._output = output
        self._target_of: dict[int, Stream] = {}
        self._last_dts: dict[int, int] = {}
        describe_like(shown, output.streams[0])
        for stream in source.streams:
            if stream.index != shown.index and not _made_by_muxer(stream):
                self._add(stream, path)
        for stream in source.streams:
            if stream.index not in self._target_of and stream.type != "attachment":
                stream.discard = Discard.all
        _copy_tags(source, output)
        self._packets = self._read()
        self._next = next(self._packets, None)

    @classmethod
    def of_file(cls, source_path: Path, output: OutputContainer, path: Path) -> Companions:
        """Open ``source_path`` and take all but the stream that VideoFileSource shows."""
        source = open_input(source_path)
        try:
            return cls(source, main_video(source, source_path), output, path)
        except BaseException:
            source.close()
            raise

    def _add(self, stream: Stream, path: Path) -> None:
        if not _fits(stream, self._output.format.name):
            what = _named(stream, self._source)
            self.notes.append(f"{path.suffix} cannot hold {what}; it is left out (.mkv may hold it).")
            return
        target = _add_like(stream, self._output)
        if not isinstance(stream, AttachmentStream):
            self._target_of[stream.index] = target

    def copy_until(self, time_s: float) -> None:
        """Write every packet that is decoded before ``time_s`` (seconds on the file's own clock)."""
        while self._next is not None and _decoded_at_s(self._next) < time_s:
            self._write(self._next)
            self._next = next(self._packets, None)

    def copy_rest(self) -> None:
        """Write what is left: audio may be longer than the picture."""
        self.copy_until(float("inf"))

    def _read(self) -> Iterator[Packet[Any]]:
        streams = [stream for stream in self._source.streams if stream.index in self._target_of]
        if not streams:
            return
        for packet in self._source.demux(*streams):
            if packet.dts is None and packet.pts is None:
                if packet.size == 0:
                    continue  # the decoder's end mark
                packet.pts = 0  # cover art carries no time
            if packet.dts is None:
                packet.dts = packet.pts
            yield packet

    def _write(self, packet: Packet[Any]) -> None:
        target = self._target_of[packet.stream.index]
        last, dts = self._last_dts.get(target.index), packet.dts
        if last is not None and dts is not None and dts <= last:
            packet.dts = dts = last + 1  # broken in the original already; the muxer would refuse it
            packet.pts = None if packet.pts is None else max(packet.pts, dts)
        if dts is not None:
            self._last_dts[target.index] = dts
        packet.stream = target
        self._output.mux_one(packet)

    def close(self) -> None:
        self._source.close()


def check_audio(source_path: Path, path: Path, muxer: str) -> None:
    """Raise OutputError if ``path``, written by FFmpeg's ``muxer``, could not hold all audio of ``source_path``."""
    with open_input(source_path) as source:
        for stream in source.streams:
            if stream.type == "audio" and not _fits(stream, muxer):
                raise OutputError(
                    f"A {path.suffix} file cannot hold {_named(stream, source)}; write .mkv instead, which holds all "
                    "audio."
                )


def _named(stream: Stream, source: InputContainer) -> str:
    return f"the {stream.type} ({_codec_name(stream)}) of {source.name.removeprefix('file:')}"


def _copy_tags(source: InputContainer, output: OutputContainer) -> None:
    output.metadata.update(_content_tags(source.metadata))
    chapters = source.chapters()
    if chapters:
        output.set_chapters(chapters)


def _decoded_at_s(packet: Packet[Any]) -> float:
    return float((packet.dts or 0) * packet.time_base)


def _content_tags(tags: dict[str, str]) -> dict[str, str]:
    """Title, date, place, language ...: what is said about the content and stays true."""
    return {key: value for key, value in tags.items() if key.lower() not in _FILE_TAGS}


def _made_by_muxer(stream: Stream) -> bool:
    """Tracks of mp4 that FFmpeg writes from tags and chapters: those tags are copied, the track must not be."""
    return stream.discard == Discard.all or (stream.type == "data" and "timecode" in stream.metadata)


def _fits(stream: Stream, muxer: str) -> bool:
    """Try the stream in a container that is thrown away: the muxer itself knows best."""
    try:
        with av.open(BytesIO(), "w", format=muxer) as probe:
            _add_like(stream, probe)
            if stream.codec_context is None:
                probe.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    return True


def _add_like(stream: Stream, output: OutputContainer) -> Stream:
    if isinstance(stream, AttachmentStream | DataStream) and stream.codec_context is None:
        target: Stream = output.add_stream_from_template(stream)
    else:
        target = output.add_stream_from_template(stream, opaque=True)
    describe_like(stream, target)
    return target


def describe_like(stream: Stream, target: Stream) -> None:
    """Give ``target`` the language, title ... and role (default, forced ...) of ``stream``."""
    target.metadata.update(_content_tags(stream.metadata))
    target.disposition = Disposition(stream.disposition)


def _codec_name(stream: Stream) -> str:
    context = stream.codec_context
    return context.name if context is not None else str(getattr(stream, "name", None) or "unknown data")
