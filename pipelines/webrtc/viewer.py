"""Viewer: a peer that only receives (WHEP)."""

from __future__ import annotations

from typing import Protocol

from pipelines.webrtc.outlet import Outlet
from pipelines.webrtc.peer import NotAcceptable, Peer
from pipelines.webrtc.tracks import RelitTrack, SoundTrack


class Program(Protocol):
    """Something to watch. What was taken must be given back."""

    def new_outlet(self) -> Outlet:
        """The pictures for one more consumer."""
        ...

    def new_sound(self) -> SoundTrack:
        """The sound for one more consumer; silent for ever where there is none."""
        ...

    def drop_outlet(self, outlet: Outlet) -> None: ...

    def drop_sound(self, sound: SoundTrack) -> None: ...


class Viewer:
    """Wires a peer to a program."""

    def __init__(self, peer: Peer, name: str, program: Program) -> None:
        self.peer = peer
        self.name = name
        self.program = program
        self._outlet: Outlet | None = None
        self._sound: SoundTrack | None = None

    @property
    def id(self) -> str:
        """What its URL ends in: unguessable."""
        return self.peer.id

    async def watch(self, offer: str) -> str:
        """The answer to the viewer's offer. Raises NotAcceptable if it cannot receive what there is, InputError."""
        await self.peer.accept(offer)
        # currentDirection is not set yet; _offerDirection is what the offer leaves to us
        wanted = {
            t.kind for t in self.peer.connection.getTransceivers() if t._offerDirection in ("sendonly", "sendrecv")
        }
        if "video" not in wanted:
            raise NotAcceptable("the SDP offer receives no video")
        self._feed(wanted)
        return await self.peer.answer()

    async def propose(self) -> str:
        """Our own offer, to be answered with PATCH (WHEP, 4.3: 406)."""
        self._feed({"video", "audio"})
        for transceiver in self.peer.connection.getTransceivers():
            transceiver.direction = "sendonly"
        return await self.peer.offer()

    async def close(self) -> None:
        """End the connection and give back what was taken."""
        if self._outlet is not None:
            self.program.drop_outlet(self._outlet)
        if self._sound is not None:
            self.program.drop_sound(self._sound)
        await self.peer.close()

    def _feed(self, kinds: set[str]) -> None:
        if "video" in kinds:
            self._outlet = self.program.new_outlet()
            self.peer.connection.addTrack(RelitTrack(self._outlet))
        if "audio" in kinds:
            self._sound = self.program.new_sound()
            self.peer.connection.addTrack(self._sound)
