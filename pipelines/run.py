"""``livelight run``: camera -> relit -> virtual camera, until it is told to stop."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from livelight.control import Control, LiveLighting
from livelight.errors import DeviceError, LiveLightError, MissingExtra, OutputError
from livelight.fit import parse_size
from livelight.frame import Frame
from livelight.governor import Governor
from livelight.lighting import Lighting
from livelight.live import LiveSession, run_live
from livelight.live_commands import LiveCommands
from livelight.live_log import live_log, write_notice
from livelight.live_stats import LiveFigures, LiveStats
from livelight.metrics import MetricsServer, parsed_address
from livelight.preset_store import PresetStore
from livelight.rig import rig_names
from livelight.session import OpenRelighter
from livelight.sinks import Sink
from livelight.sinks.choice import open_sink
from livelight.sinks.recording import RecordingSink
from livelight.sinks.tee import TeeSink
from livelight.sources.choice import CameraChoice
from livelight.standby import standby_picture
from pipelines.engine import open_relighter
from pipelines.kept_files import refuse_to_replace
from pipelines.run_keys import LiveKeys
from pipelines.run_settings import RunSettings
from pipelines.stop_signals import RECORDING_PATIENCE_S, StopSignals
from pipelines.terminal import TerminalKeys

FIGURES_EVERY_S = 1.0


class Speaker:
    """Sentences on stderr, from any thread; a line of figures below them that renews itself."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._line = ""
        self._lock = threading.Lock()

    def say(self, sentence: str) -> None:
        """What the user asked for."""
        if not self._quiet:
            self.notice(sentence)

    def notice(self, sentence: str) -> None:
        """What the user must know."""
        write_notice(sentence)
        with self._lock:
            clear = "\r\x1b[K" if self._line else ""
            print(f"{clear}livelight: {sentence}", file=sys.stderr, flush=True)
            self._line = ""

    def show(self, figures: str) -> None:
        """The line of figures; empty takes it away."""
        with self._lock:
            if figures or self._line:
                print(f"\r\x1b[K{figures}", end="", file=sys.stderr, flush=True)
            self._line = figures


def run(
    settings: RunSettings,
    quiet: bool,
    open_engine: Callable[..., OpenRelighter] = open_relighter,
    open_lighting: Callable[[Control, Callable[[str], None]], Lighting] = LiveLighting,
) -> int:
    """Run until it is stopped; the exit status. Raises LiveLightError if something cannot be opened, or breaks."""
    speaker, commands, stats, control = Speaker(quiet), LiveCommands(), LiveStats(), Control(settings)
    keys = LiveKeys(control, commands, stats, speaker.say, list(rig_names()), PresetStore())
    terminal = TerminalKeys(keys.press)
    width, height = parse_size(settings.size)
    with StopSignals(commands.stop, terminal.restore) as signals, ExitStack() as stack:
        _keep_what_is_read(settings)
        _observe(settings, stats, stack, speaker)
        main = _opened_sink(settings, width, height)
        stack.callback(_end, main, speaker.notice)
        sink = _shown(main, settings, keys.press)
        camera = _camera(settings, width, height, main)
        relighter = stack.enter_context(open_engine(settings, speaker.notice))
        lighting = open_lighting(control, speaker.notice)
        warm_up(relighter, lighting, width, height)
        session = LiveSession(camera, sink, relighter, lighting, speaker.notice, (width, height), commands, stats)
        session.skip_similar = not settings.every_frame
        if not settings.fixed_quality:
            session.governor = Governor(relighter, 1 / settings.fps, speaker.notice)
        stack.enter_context(terminal)
        speaker.say(_greeting(camera.name, main, relighter.runtime_name, terminal.active))
        threading.Thread(target=_figures, args=(keys, stats, speaker, commands), daemon=True).start()
        signals.running = True
        if isinstance(main, RecordingSink):
            signals.patience_s = RECORDING_PATIENCE_S
        run_live(session)
    speaker.show("")
    return signals.status


def _observe(settings: RunSettings, stats: LiveStats, stack: ExitStack, speaker: Speaker) -> None:
    """Open the log and the endpoint for Prometheus, where they are wanted."""
    if settings.log is not None:
        stack.enter_context(live_log(settings.log, stats))
    if settings.metrics is not None:
        host, port = parsed_address(settings.metrics)
        server = stack.enter_context(MetricsServer(stats, port, host))
        speaker.say(f"Figures for Prometheus: http://{host}:{server.port}/metrics")


def _shown(main: Sink, settings: RunSettings, pressed: Callable[[str], None]) -> Sink:
    """The sink, and a window beside it, or a sink that counts as watched at all times."""
    if settings.preview:
        from livelight.sinks.window import WindowSink

        return TeeSink([WindowSink(pressed), main])
    return TeeSink([main, TeeSink(())]) if settings.always else main


def _keep_what_is_read(settings: RunSettings) -> None:
    """Raise OutputError if the recording or the log would go into what the picture is made from, or into each other."""
    for name, target in (("--sink", settings.sink), ("--log", settings.log)):
        if target is not None and os.path.isfile(target):  # Path.is_file raises for a long pipeline
            refuse_to_replace(Path(target), name, [], settings)
    if settings.sink is not None and settings.log is not None and _same_file(Path(settings.log), Path(settings.sink)):
        raise OutputError(f"--log {settings.log} is the file of --sink itself; choose another name.")


def _same_file(one: Path, other: Path) -> bool:
    """Whether both are one file, also one that is yet to be made; a word without an ending may mean something else."""
    with suppress(OSError):  # not there, or no name of a file at all, as a long pipeline
        if one.is_file():
            return one.samefile(other)
    return bool(one.suffix) and one.resolve() == other.resolve()


def _opened_sink(settings: RunSettings, width: int, height: int) -> Sink:
    """open_sink, and what lies above livelight: a push to a media server by WHIP."""
    if settings.sink is not None and settings.sink.startswith("whip+"):
        try:
            from pipelines.webrtc.whip_sink import WhipSink
        except ImportError as exc:
            raise MissingExtra(exc.name or "aiortc", "webrtc", "--sink whip+...") from exc
        return WhipSink(settings.sink)
    return open_sink(settings.sink, width, height, settings.fps, settings.force)


def _camera(settings: RunSettings, width: int, height: int, sink: Sink) -> CameraChoice:
    """The camera, sure to be there unless the user is ready to wait."""
    written = getattr(sink, "device", None)
    camera = CameraChoice(settings.camera, width, height, Fraction(settings.fps), other_than=written)
    if camera.is_device:
        try:
            camera.find()
        except DeviceError:
            if not settings.wait:
                raise
    else:
        camera().close()  # a file that cannot be played is told now
    return camera


def warm_up(relighter: OpenRelighter, lighting: Lighting, width: int, height: int) -> None:
    """Compile the engines for this size, so that the first reader does not wait for them."""
    frame = Frame(standby_picture(width, height, "Starting"), 0, Fraction(1, 30), time.monotonic())
    state: Any = None
    for _ in range(2):
        _, state = relighter.step(frame, lighting.at(0.0, width, height), state)


def _end(sink: Sink, notice: Callable[[str], None]) -> None:
    """Let go of the sink; a recording is kept, whatever happened."""
    try:
        sink.close()
    except LiveLightError as exc:
        notice(str(exc))


def _greeting(camera: str, sink: Sink, runtime: str, keys: bool) -> str:
    name = getattr(sink, "name", None)
    device = getattr(sink, "device", None)
    where = f" to {name} ({device})" if name and device else f" to {name}" if name else ""
    return f"{camera}{where}, on {runtime}. {'Press ? for the keys, q' if keys else 'Ctrl-C'} to quit."


def _figures(keys: LiveKeys, stats: LiveStats, speaker: Speaker, commands: LiveCommands) -> None:
    while not commands.stopped:
        speaker.show(figures_line(stats.read()) if keys.figures else "")
        time.sleep(FIGURES_EVERY_S)


def figures_line(figures: LiveFigures) -> str:
    """One line for people."""
    if figures.phase != "running":
        return figures.phase
    delay = "" if figures.latency_ms is None else f"{figures.latency_ms:.0f} ms from camera to sink, "
    dropped = figures.dropped + figures.dropped_late
    return f"{figures.fps:.1f} fps, {delay}{dropped} dropped, {figures.skipped} unmoved, {figures.level or 'full'}"
