"""Servers on a thread or in a process of their own, and Chromium with a clip as its camera."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av

from livelight.fakes import IdentityRelighter
from livelight.session import OpenRelighter
from pipelines import demo
from tests.pipelines.webrtc.served import served

ROOT = Path(__file__).parents[4]
START_S = 300.0
COMMAND = ("-c", "from pipelines.cli import main; main()")
WITH_FAKES = ("-m", "tests.pipelines.with_fakes")


def chromium() -> str | None:
    """The browser's path: CHROMIUM, or Debian's, or any that is there."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def serving(
    *options: str, config: Path, program: tuple[str, ...] = COMMAND, end: signal.Signals = signal.SIGTERM
) -> Iterator[str]:
    """The URL of ``livelight serve`` in a process of its own, which must end well with the block.

    config: an empty folder in place of the user's own settings. program: the command line, or that with fakes. end:
    the signal that ends it, SIGTERM or SIGINT.
    """
    environment = os.environ | {"LIVELIGHT_CONFIG": str(config), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *program, "serve", "--port", "0", *options]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=config)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(server, lines), daemon=True).start()
    try:
        yield _url(server, lines)
    finally:
        server.send_signal(end)
        try:
            status = server.wait(START_S)
        except subprocess.TimeoutExpired:
            server.kill()
            status = server.wait()
    assert status == (0 if end == signal.SIGTERM else 128 + end)


@contextmanager
def serving_here(open_relighter: Callable[[], OpenRelighter] = IdentityRelighter, **settings: Any) -> Iterator[str]:
    """The URL of a server on a thread of this process; by default it gives every picture back as it came."""
    ready: queue.Queue[str | BaseException] = queue.Queue()
    loop, end = asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        try:
            async with served(open_relighter, **settings) as site:
                ready.put(site.url + "/")
                await end.wait()
        except BaseException as error:  # raised in the test instead
            ready.put(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        url = ready.get(timeout=START_S)
        if isinstance(url, BaseException):
            raise url
        yield url
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(START_S)
        loop.close()


def _read(server: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert server.stderr is not None
    for line in server.stderr:
        lines.put(line)


def _url(server: subprocess.Popen[str], lines: queue.Queue[str]) -> str:
    end_s, said = time.monotonic() + START_S, ""
    while time.monotonic() < end_s and (server.poll() is None or not lines.empty()):
        try:
            said += lines.get(timeout=0.5)
        except queue.Empty:
            continue
        found = re.search(r"https?://\S+", said)
        if found:
            return found.group()
    raise AssertionError(f"livelight serve did not start: {said}")


def camera_clip(target: Path, width: int, height: int, rate: int, seconds: float) -> Path:
    """The demo clip as Chromium's camera plays it, over and over: raw, .y4m."""
    with av.open(str(demo.CLIP)) as source, av.open(str(target), "w", format="yuv4mpegpipe") as output:
        stream = output.add_stream("wrapped_avframe", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        step = round(30 / rate)
        for index, frame in enumerate(source.decode(video=0)):
            if index >= 30 * seconds:
                break
            if index % step == 0:
                small = frame.reformat(width, height, format="yuv420p")
                small.pts = index // step
                output.mux(stream.encode(small))
        output.mux(stream.encode(None))
    return target


def arguments(clip: Path) -> list[str]:
    """Chromium's command line: the clip is its camera, and it may use it."""
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        "--autoplay-policy=no-user-gesture-required",
    ]
