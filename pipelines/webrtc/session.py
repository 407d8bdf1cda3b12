"""Session: a peer that sends pictures, its stream through the engine, and what goes back."""

from __future__ import annotations

import asyncio
import logging

from aiortc import MediaStreamTrack, RTCDataChannel

from pipelines.webrtc.control_channel import ControlChannel
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.outlet import Outlet
from pipelines.webrtc.peer import Peer
from pipelines.webrtc.stream import LiveStream
from pipelines.webrtc.tracks import RelitTrack, SoundTrack, drained

log = logging.getLogger(__name__)

LABEL = "control"

SOUND_LATE_S = 0.06
"""By how much sound comes later than the picture already: aiortc's receiver waits for three more pieces of 20 ms."""


class Problems:
    """Sentences from any thread to the client, or to the log while there is no client to tell. No paths in them."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._loop = asyncio.get_running_loop()
        self.channel: ControlChannel | None = None

    def __call__(self, sentence: str) -> None:
        try:
            self._loop.call_soon_threadsafe(self._tell, self._gallery.without_paths(sentence))
        except RuntimeError:  # the loop is closed, and everybody gone
            log.warning("%s", sentence)

    def _tell(self, sentence: str) -> None:
        if self.channel is None:
            log.warning("%s", sentence)
        else:
            self.channel.send({"problem": sentence})


class Session:
    """Wires a peer to a stream. back: whether the peer gets its own picture back. name: of a WHIP push, else empty."""

    def __init__(
        self, peer: Peer, stream: LiveStream, gallery: Gallery, problems: Problems, back: bool, name: str = ""
    ) -> None:
        self.peer = peer
        self.stream = stream
        self.name = name
        self.back = back
        self._gallery = gallery
        self._problems = problems
        self._sounds: list[SoundTrack] = []
        self._outlet: Outlet | None = None
        peer.connection.on("track", self._track)
        peer.connection.on("datachannel", self._data_channel)

    @property
    def id(self) -> str:
        """What its URL ends in: unguessable."""
        return self.peer.id

    def new_outlet(self) -> Outlet:
        """The relit pictures for one more consumer."""
        return self.stream.outlets.new()

    def new_sound(self) -> SoundTrack:
        """The sound for one more consumer, in step with the relit pictures."""
        sound = SoundTrack(lambda: self.stream.latency_s - SOUND_LATE_S)
        self._sounds.append(sound)
        return sound

    def drop_outlet(self, outlet: Outlet) -> None:
        """No more pictures for this consumer."""
        self.stream.outlets.drop(outlet)

    def drop_sound(self, sound: SoundTrack) -> None:
        """No more sound for this consumer."""
        if sound in self._sounds:
            self._sounds.remove(sound)
        sound.stop()

    async def close(self) -> None:
        """End the connection, all that goes out, and the light."""
        for sound in list(self._sounds):
            self.drop_sound(sound)
        await asyncio.to_thread(self.stream.close)
        await self.peer.close()

    def _track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            if self.back:
                self._outlet = self.new_outlet()
                self.peer.connection.addTrack(RelitTrack(self._outlet))
            self.peer.spawn(drained(track, self.stream.put))
        else:
            if self.back:
                self.peer.connection.addTrack(self.new_sound())
            self.peer.spawn(drained(track, self._hear))

    def _hear(self, frame: object) -> None:
        for sound in self._sounds:
            sound.offer(frame)

    def _data_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != LABEL or self._problems.channel is not None:
            channel.close()
            return
        self._problems.channel = ControlChannel(channel, self.stream, self._gallery)
        self.peer.spawn(self._problems.channel.report())
