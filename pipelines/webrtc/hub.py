"""Hub: who is connected. Admits, finds and ends sessions and their viewers."""

from __future__ import annotations

import asyncio
import logging

from livelight.control import Control, LiveLighting
from livelight.errors import InputError, LiveLightError
from pipelines.webrtc import memory
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.ice import ice_configuration
from pipelines.webrtc.peer import Peer
from pipelines.webrtc.push import Pusher, bearer
from pipelines.webrtc.serve_settings import ServeSettings
from pipelines.webrtc.session import Problems, Session
from pipelines.webrtc.shared_engine import SharedEngine
from pipelines.webrtc.stream import LiveStream
from pipelines.webrtc.viewer import Program, Viewer

log = logging.getLogger(__name__)

RETRY_S = 5


class Full(LiveLightError):
    """No room for one more now. retry_s: when to ask again."""

    retry_s = RETRY_S


class Taken(LiveLightError):
    """Somebody else sends under this name."""


class Hub:
    """All sessions of this server. In the event loop alone."""

    def __init__(self, settings: ServeSettings, gallery: Gallery, engine: SharedEngine) -> None:
        self.settings = settings
        self.gallery = gallery
        self.engine = engine
        self.configuration = ice_configuration(settings)
        self.programs: dict[str, Program] = {}
        """What viewers may watch besides the sessions, by name."""
        self._sessions: dict[str, Session] = {}
        self._viewers: dict[str, Viewer] = {}
        self._pushes: dict[str, asyncio.Task[None]] = {}
        self._opening = 0
        self._opening_names: set[str] = set()
        self.opened = self.refused = 0
        """Sessions so far."""
        self._dropped_before = 0

    @property
    def sessions(self) -> list[Session]:
        """Those that are open."""
        return list(self._sessions.values())

    @property
    def free(self) -> int:
        """How many more sessions are admitted now."""
        return max(self.settings.sessions - len(self._sessions) - self._opening, 0)

    @property
    def viewers(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    @property
    def dropped(self) -> int:
        """Pictures that newer ones replaced, of all sessions so far."""
        return self._dropped_before + sum(session.stream.stats().dropped for session in self.sessions)

    def find(self, id_: str) -> Session | None:
        """The session with this id."""
        return self._sessions.get(id_)

    def named(self, name: str) -> Session | None:
        """The session that pushes under this name."""
        return next((session for session in self._sessions.values() if session.name == name), None)

    async def open(self, offer: str, back: bool, name: str = "") -> tuple[Session, str]:
        """A new session and the answer to its offer. Raises Full, Taken, or InputError for an unusable offer."""
        if name and (name in self._opening_names or self.named(name)):
            raise Taken(f"somebody sends to {name} already; choose another name or end that session first")
        if not self.free:
            self.refused += 1
            raise Full(f"all {self.settings.sessions} sessions are taken; try again in {RETRY_S} seconds")
        self._opening += 1
        self._opening_names.add(name)
        try:
            return await self._opened(offer, back, name)
        finally:
            self._opening -= 1
            self._opening_names.discard(name)

    async def _opened(self, offer: str, back: bool, name: str) -> tuple[Session, str]:
        control = Control(self.gallery.start)
        problems = Problems(self.gallery)
        lighting = await asyncio.to_thread(
            LiveLighting, control, problems, self.gallery.open_light, self.gallery.open_background
        )
        stream = LiveStream(control, lighting, problems)
        session = Session(Peer(self.configuration, self._ended), stream, self.gallery, problems, back, name)
        try:
            await session.peer.accept(offer)
            if not any(transceiver.kind == "video" for transceiver in session.peer.connection.getTransceivers()):
                raise InputError("the SDP offer has no video section; the server relights video")
            answer = await session.peer.answer()
        except BaseException:
            await session.close()
            raise
        self.engine.add(stream)
        self._sessions[session.id] = session
        self.opened += 1
        if name and self.settings.push:
            pusher = Pusher(self.settings.push.replace("{name}", name), bearer(), session)
            self._pushes[session.id] = asyncio.create_task(pusher.run())
        log.info("session %s opened, %d of %d", session.id[:6], len(self._sessions), self.settings.sessions)
        return session, answer

    def program(self, name: str) -> Program | None:
        """What goes under this name now."""
        return self.programs.get(name) or self.named(name)

    def viewer(self, id_: str) -> Viewer | None:
        """The viewer with this id."""
        return self._viewers.get(id_)

    def new_viewer(self, name: str, program: Program) -> Viewer:
        """One more viewer, not connected yet. Raises Full."""
        if len(self._viewers) >= self.settings.viewers:
            raise Full(f"all {self.settings.viewers} viewers' places are taken; try again in {RETRY_S} seconds")
        viewer = Viewer(Peer(self.configuration, self._ended), name, program)
        self._viewers[viewer.id] = viewer
        return viewer

    async def end_viewer(self, viewer: Viewer) -> None:
        """Close a viewer. May be called twice."""
        if self._viewers.pop(viewer.id, None) is not None:
            await viewer.close()

    async def end_viewers(self, program: Program) -> None:
        """Close all who watch this."""
        watching = [viewer for viewer in self._viewers.values() if viewer.program is program]
        await asyncio.gather(*(self.end_viewer(viewer) for viewer in watching))

    async def end(self, session: Session) -> None:
        """Close a session and its viewers. May be called twice."""
        if self._sessions.pop(session.id, None) is None:
            return
        self.engine.remove(session.stream)
        push = self._pushes.pop(session.id, None)
        if push is not None:
            push.cancel()
            await asyncio.gather(push, return_exceptions=True)
        await self.end_viewers(session)
        await session.close()
        self._dropped_before += session.stream.stats().dropped
        log.info("session %s ended, %d left", session.id[:6], len(self._sessions))
        if not self._sessions:  # while others run, a pause for their threads would cost them pictures
            await asyncio.to_thread(memory.give_back)

    async def close(self) -> None:
        """End all sessions and viewers."""
        await asyncio.gather(*(self.end_viewer(viewer) for viewer in list(self._viewers.values())))
        await asyncio.gather(*(self.end(session) for session in self.sessions))

    async def _ended(self, peer: Peer) -> None:
        session, viewer = self._sessions.get(peer.id), self._viewers.get(peer.id)
        if session is not None:
            await self.end(session)
        elif viewer is not None:
            await self.end_viewer(viewer)
        else:
            await peer.close()
