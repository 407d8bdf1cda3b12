"""CameraFeed: this machine's own camera through the live loop, into a virtual camera and to viewers (WHEP)."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from livelight.control import Control, LiveLighting
from livelight.errors import DeviceError, LiveLightError, SettingsError
from livelight.frame import Frame
from livelight.governor import Governor
from livelight.live import LiveSession, run_live
from livelight.live_commands import LiveCommands
from livelight.live_stats import LiveStats
from livelight.session import OpenRelighter
from livelight.sinks import Sink
from livelight.sinks.choice import NOTHING, OBS, open_sink
from livelight.sinks.loopback import list_loopbacks
from livelight.sinks.tee import TeeSink
from livelight.sources.camera_list import list_cameras
from livelight.sources.choice import PATTERN, CameraChoice
from pipelines.webrtc.gallery import Gallery
from pipelines.webrtc.outlet import Outlet, Relit
from pipelines.webrtc.outlets import Outlets
from pipelines.webrtc.tracks import SoundTrack

log = logging.getLogger(__name__)

NAME = "camera"
"""The name under which viewers watch it; no WHIP sender may take it."""

SIZE, RATE = (1280, 720), 30
_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Device:
    """Something to choose. id: what requests say; wanted: what it means here, never told."""

    id: str
    title: str
    wanted: str | None


def cameras() -> list[Device]:
    """The cameras of this machine, and the test picture."""
    try:
        found = [camera for camera in list_cameras() if not camera.virtual]
    except DeviceError as exc:
        log.warning("%s", exc)
        found = []
    listed = [Device(f"camera-{camera.number}", camera.name, str(camera.number)) for camera in found]
    return [*listed, Device(PATTERN, "Test picture", PATTERN)]


def sinks() -> list[Device]:
    """The virtual cameras of this machine, and none."""
    if sys.platform.startswith("linux"):
        found = [Device(f"virtual-{path.rpartition('video')[2]}", label, path) for path, label in list_loopbacks()]
    else:
        found = [Device(OBS, "OBS virtual camera", OBS)]
    return [*found, Device(NOTHING, "Preview only", NOTHING)]


class PreviewSink:
    """Hands copies of the frames to the viewers (Sink)."""

    def __init__(self) -> None:
        self.outlets = Outlets()

    def write(self, frame: Frame) -> None:
        """The image is copied, once for all viewers; not at all where there is none."""
        if self.outlets:
            self.outlets.offer(Relit(frame.image.copy(), frame.pts, frame.time_base, frame.captured_s, frame.planes))

    def close(self) -> None:
        self.outlets.close()

    def abort(self) -> None:
        self.close()


class CameraFeed:
    """Starts and stops the loop, each on the caller's thread, which may wait; a Program for viewers meanwhile.

    The camera has a relighter of its own: a virtual camera must not slow down when browsers come.
    """

    def __init__(self, gallery: Gallery, open_relighter: Callable[[], OpenRelighter]) -> None:
        self.control = Control(gallery.start)
        self._gallery = gallery
        self._open_relighter = open_relighter
        self._turn = threading.Lock()
        self._preview = PreviewSink()
        self._commands = LiveCommands()
        self._stats = LiveStats()
        self._thread: threading.Thread | None = None
        self.camera = self.sink = ""
        self.problem = ""
        """Why it ended of itself, or what it last complained of, in one sentence; empty while all is well."""

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def stats(self) -> LiveStats:
        """Of the loop that runs, or ran last."""
        return self._stats

    def figures(self) -> dict[str, Any]:
        """As the control channel's stats."""
        read = self._stats.read()
        return {
            "fps": read.fps,
            "latency_ms": read.latency_ms,
            "dropped": read.dropped + read.dropped_late,
            "runtime": read.runtime,
        }

    def start(self, camera_id: str, sink_id: str) -> None:
        """Open both and run. Raises SettingsError for an unknown id, or what opening raises."""
        camera, sink = _chosen(camera_id, cameras(), "camera"), _chosen(sink_id, sinks(), "sink")
        with self._turn:
            if self.running:
                raise SettingsError("the camera runs already; stop it first")
            self._preview = PreviewSink()
            self._commands, self._stats, self.problem = LiveCommands(), LiveStats(), ""
            self.camera, self.sink = camera.id, sink.id
            with ExitStack() as stack:
                target = TeeSink([self._preview, open_sink(sink.wanted, *SIZE, RATE)])
                stack.callback(target.close)
                session = self._session(camera, target, stack)
                ends = stack.pop_all()
            self._thread = threading.Thread(
                target=self._run, args=(session, ends), name="livelight-camera", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the loop and let the devices go. May be called twice."""
        with self._turn:
            thread = self._thread
            self._commands.stop()
            if thread is not None:
                thread.join(_STOP_S)

    def new_outlet(self) -> Outlet:
        return self._preview.outlets.new()

    def drop_outlet(self, outlet: Outlet) -> None:
        self._preview.outlets.drop(outlet)

    def new_sound(self) -> SoundTrack:
        """Silence: the loop has no sound."""
        return SoundTrack(lambda: 0.0)

    def drop_sound(self, sound: SoundTrack) -> None:
        sound.stop()

    def _session(self, camera: Device, target: Sink, stack: ExitStack) -> LiveSession:
        written = next((device.wanted for device in sinks() if device.id == self.sink), None)
        source = CameraChoice(camera.wanted, *SIZE, RATE, other_than=written)
        if source.is_device:
            source.find()
        relighter = stack.enter_context(self._open_relighter())
        lighting = LiveLighting(self.control, self._notice, self._gallery.open_light, self._gallery.open_background)
        stack.callback(lighting.close)
        session = LiveSession(source, target, relighter, lighting, self._notice, SIZE, self._commands, self._stats)
        if hasattr(relighter, "set_level"):
            session.governor = Governor(relighter, 1 / RATE, self._notice)
        return session

    def _run(self, session: LiveSession, ends: ExitStack) -> None:
        try:
            with ends:
                run_live(session)
        except LiveLightError as exc:
            self._notice(str(exc))
        except Exception:
            log.exception("the camera stopped")
            self.problem = "a fault of the server's own stopped the camera; its log says why"

    def _notice(self, sentence: str) -> None:
        self.problem = self._gallery.without_paths(sentence)
        log.info("%s", sentence)


def _chosen(id_: str, devices: list[Device], what: str) -> Device:
    found = next((device for device in devices if device.id == id_), None)
    if found is None:
        raise SettingsError(f"{what}: expected one of {', '.join(device.id for device in devices)}")
    return found
