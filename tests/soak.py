"""Latency and memory over time: ``python -m tests.soak MINUTES [--size WxH] [--fps N] [--plot FILE] [--json FILE]``.

Runs the real live session (source thread, relighter, governor, output thread) on the demo clip, with the time of
capture written into every frame as a barcode and read back from what reaches the sink. Prints a line every ten seconds
and at the end the figures; asserts nothing: speed depends on the machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from livelight.barcode import read_barcode, write_barcode
from livelight.config import RelightSettings
from livelight.control import Control, LiveLighting
from livelight.fakes import IdentityRelighter
from livelight.fit import parse_size
from livelight.frame import Frame
from livelight.governor import Governor
from livelight.live import LiveSession, run_live
from livelight.sources.choice import CameraChoice
from pipelines.demo import CLIP
from pipelines.engine import open_relighter
from pipelines.run import warm_up

WINDOW_S = 10.0

WARM_UP_MINUTES = 2.0
"""Memory of this time and later is compared."""


class BarcodedSource:
    """Writes each frame's captured_s, in milliseconds, into its picture; a file faster than ``fps`` loses frames."""

    live, frame_count = True, None

    def __init__(self, source: Any, fps: int) -> None:
        self._source = source
        self._every = max(1, round(source.rate / fps))
        self.width, self.height, self.rate = source.width, source.height, source.rate / self._every

    def __iter__(self) -> Iterator[Frame]:
        for frame in itertools.islice(self._source, 0, None, self._every):
            yield frame.with_image(write_barcode(frame.image, int(frame.captured_s * 1e3) & 0xFFFFFFFF))

    def end(self) -> None:
        self._source.end()

    def close(self) -> None:
        self._source.close()


class BarcodeReader:
    """A sink that reads the barcodes: delays since the last ``take``, and how many frames had none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._delays_ms: list[float] = []
        self.unread = 0

    def write(self, frame: Frame) -> None:
        number = read_barcode(frame.image)
        now_ms = int(time.monotonic() * 1e3) & 0xFFFFFFFF
        with self._lock:
            if number is None:
                self.unread += 1
            else:
                self._delays_ms.append((now_ms - number) & 0xFFFFFFFF)

    def take(self) -> list[float]:
        with self._lock:
            taken, self._delays_ms = self._delays_ms, []
        return taken

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass


class Watched(BarcodeReader):
    """The same, with somebody who comes and goes (WatchedSink); standby pictures have no barcode."""

    looks = False

    def watched(self) -> bool:
        return self.looks


def idle_and_start(session: LiveSession, seconds: float = 10.0) -> None:
    """Print the CPU time of an unwatched session, and the seconds from a reader's coming to its first relit frame."""
    sink = session.sink = Watched()
    thread = threading.Thread(target=run_live, args=(session,))
    thread.start()
    time.sleep(1)
    before_s = time.process_time()
    time.sleep(seconds)
    print(f"unwatched: {(time.process_time() - before_s) / seconds:.2%} of a core")
    came_s, sink.looks = time.monotonic(), True
    while not sink.take():
        time.sleep(0.005)
    print(f"first relit frame {time.monotonic() - came_s:.2f} s after the reader came")
    session.commands.stop()
    thread.join()


def resident_mb() -> float:
    """Resident memory of this process now, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def sample(session: LiveSession, reader: BarcodeReader, started_s: float) -> dict[str, float]:
    """Figures of the window that ends now."""
    delays = sorted(reader.take())
    figures = session.stats.read()
    step = session.stats.times.samples_ms("step")[-300:]
    return {
        "minute": round((time.monotonic() - started_s) / 60, 3),
        "latency_ms": statistics.median(delays) if delays else float("nan"),
        "latency_p95_ms": delays[int(0.95 * (len(delays) - 1))] if delays else float("nan"),
        "step_ms": round(statistics.median(step), 1) if step else float("nan"),
        "fps": round(len(delays) / WINDOW_S, 1),
        "dropped": figures.dropped,
        "memory_mb": round(resident_mb(), 1),
        "load": os.getloadavg()[0],
    }


def soak(minutes: float, size: tuple[int, int], fps: int, camera: str, identity: bool) -> list[dict[str, float]]:
    settings = RelightSettings()
    lighting, reader = LiveLighting(Control(settings), print), BarcodeReader()
    samples: list[dict[str, float]] = []
    choice = CameraChoice(camera, *size, fps)

    def barcoded() -> BarcodedSource:
        return BarcodedSource(choice(), fps)

    with IdentityRelighter() if identity else open_relighter(settings) as relighter:
        for level in reversed(range(len(relighter.level_names))):  # each level's network is compiled once, and kept
            relighter.set_level(level)
            warm_up(relighter, lighting, *size)
        idle_and_start(LiveSession(barcoded, reader, relighter, lighting, print, size))
        session = LiveSession(barcoded, reader, relighter, lighting, print, size)
        session.governor = Governor(relighter, 1 / fps, print)
        session.skip_similar = False
        started_s = time.monotonic()

        def watch() -> None:
            while not session.commands.stopped:
                session.commands.wait(WINDOW_S)
                samples.append(sample(session, reader, started_s))
                print(samples[-1], flush=True)
                if time.monotonic() - started_s > minutes * 60:
                    session.commands.stop()

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            run_live(session)
        finally:
            session.commands.stop()
            watcher.join()
    print(f"{reader.unread} frames without a barcode that can be read; level {session.governor.level_name}")
    return samples


def plot(samples: list[dict[str, float]], path: Path, title: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(9, 6))
    minutes = [s["minute"] for s in samples]
    above.plot(minutes, [s["latency_p95_ms"] for s in samples], color="#d98c5f", label="95 %")
    above.plot(minutes, [s["latency_ms"] for s in samples], color="#2b6cb0", label="median")
    above.plot(minutes, [s["step_ms"] for s in samples], color="#555555", linestyle=":", label="computation")
    above.set_ylabel("capture to sink, ms")
    above.set_ylim(bottom=0)
    above.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3)
    below.plot(minutes, [s["memory_mb"] for s in samples], color="#2b6cb0")
    below.set_ylabel("memory, MB")
    below.set_ylim(0, 1.2 * max(s["memory_mb"] for s in samples))
    below.set_xlabel("minutes")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--camera", default=str(CLIP))
    parser.add_argument("--identity", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    samples = soak(given.minutes, parse_size(given.size), given.fps, given.camera, given.identity)
    late = [s for s in samples if s["minute"] >= WARM_UP_MINUTES] or samples
    print(
        f"median latency {statistics.median(s['latency_ms'] for s in late):.0f} ms, computation "
        f"{statistics.median(s['step_ms'] for s in late):.0f} ms, memory {late[0]['memory_mb']:.1f} MB after "
        f"{late[0]['minute']:.1f} min, {late[-1]['memory_mb']:.1f} MB at the end, "
        f"{max(s['memory_mb'] for s in late):.1f} MB at most"
    )
    if given.json:
        given.json.write_text(json.dumps(samples, indent=0) + "\n")
    if given.plot:
        what = "the loop without a network" if given.identity else "the whole road"
        load = statistics.median(s["load"] for s in samples)
        title = (
            f"{what}: {given.size}, {given.fps} frames a second, {samples[-1]['minute']:.0f} minutes, load {load:.0f}"
        )
        plot(samples, given.plot, title)


if __name__ == "__main__":
    main()
