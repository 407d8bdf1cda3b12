"""A camera in PipeWire, in a PipeWire and a WirePlumber of the test's own, read back by pipewiresrc."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from livelight.errors import DeviceError, MissingSystemPackage, SettingsError
from livelight.frame import Frame
from livelight.gstreamer_library import load_gst
from livelight.sinks import WatchedSink
from livelight.sinks.pipewire import PipeWireSink
from livelight.sources.gstreamer import GStreamerSource
from tests.clips import corners

WAIT_S = 180.0


@pytest.fixture
def pipewire(tmp_path, monkeypatch):
    """PipeWire and WirePlumber without a desktop; gives PipeWire's process."""
    missing = [name for name in ("dbus-daemon", "pipewire", "wireplumber", "pw-dump") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    try:
        if load_gst().ElementFactory.find("pipewiresink") is None:
            pytest.skip("GStreamer has no pipewiresink (Debian: gstreamer1.0-pipewire)")
    except MissingSystemPackage as exc:
        pytest.skip(str(exc))
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    for name in ("XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(runtime))
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    bus = f"unix:path={runtime}/bus"
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    with ExitStack() as stack:
        stack.enter_context(started("dbus-daemon", "--session", "--nofork", f"--address={bus}"))
        wait_for((runtime / "bus").exists, "the session bus")
        server = stack.enter_context(started("pipewire"))
        wait_for((runtime / "pipewire-0").exists, "PipeWire's socket")
        stack.enter_context(started("wireplumber"))
        wait_for(lambda: any("WirePlumber" in str(o) for o in objects()), "WirePlumber")
        yield server


@contextmanager
def started(*command):
    """A program that ends with the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(WAIT_S)


def wait_for(condition, what):
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.05)


def objects():
    done = subprocess.run(["pw-dump"], capture_output=True, text=True, check=False, timeout=WAIT_S, env=os.environ)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return []


def cameras():
    """Descriptions of all cameras that PipeWire shows."""
    properties = [(item.get("info") or {}).get("props") or {} for item in objects()]
    return [p["node.description"] for p in properties if p.get("media.class") == "Video/Source"]


def frame(index):
    return Frame(corners(320, 180), index, Fraction(1, 30), time.monotonic())


def write_until(sink, condition, what):
    """Write frames as a live session does until ``condition`` holds."""
    index = 0

    def written():
        nonlocal index
        index += 1
        sink.write(frame(index))
        return condition()

    wait_for(written, what)


def test_our_node_is_read_back_and_knows_its_readers(pipewire):
    sink = PipeWireSink("Studio 2", 320, 180, 30)
    assert isinstance(sink, WatchedSink)
    write_until(sink, lambda: cameras() == ["Studio 2"], "our node")
    write_until(sink, lambda: not sink.watched(), "nobody")
    words = "-q pipewiresrc target-object=livelight ! videoconvert ! fakesink"
    with started("gst-launch-1.0", *words.split()):
        write_until(sink, sink.watched, "a reader")
    write_until(sink, lambda: not sink.watched(), "the reader's end")
    sink.close()
    sink.close()
    wait_for(lambda: cameras() == [], "the node's end")


def test_the_picture_comes_back_as_it_went_in(pipewire, tmp_path):
    sink = PipeWireSink(None, 320, 180, 30)
    write_until(sink, lambda: cameras() == ["LiveLight"], "our node")
    taken = tmp_path / "taken.png"
    words = (
        f"pipewiresrc target-object=livelight num-buffers=20 ! videoconvert ! pngenc ! multifilesink location={taken}"
    )
    with started("gst-launch-1.0", "-q", *words.split()) as reader:
        write_until(sink, lambda: reader.poll() is not None, "20 pictures")
    sink.close()
    source = GStreamerSource(f"filesrc location={taken} ! decodebin")
    (picture,) = islice(source, 1)
    source.close()
    assert np.abs(picture.image.astype(int) - corners(320, 180))[10::20, 10::20].max() < 8


def test_a_pipewire_that_dies_is_a_device_error(pipewire):
    sink = PipeWireSink(None, 320, 180, 30)
    sink.write(frame(0))
    pipewire.kill()
    with pytest.raises(DeviceError):
        write_until(sink, lambda: False, "an error")
    sink.close()


def test_without_pipewire_it_says_how_to_start_it(tmp_path, monkeypatch):
    try:
        if load_gst().ElementFactory.find("pipewiresink") is None:
            pytest.skip("GStreamer has no pipewiresink (Debian: gstreamer1.0-pipewire)")
    except MissingSystemPackage as exc:
        pytest.skip(str(exc))
    for name in ("XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(DeviceError, match="systemctl --user start pipewire"):
        PipeWireSink(None, 320, 180, 30)
    with pytest.raises(SettingsError, match="no name for a camera"):
        PipeWireSink('x",evil=1', 320, 180, 30)
