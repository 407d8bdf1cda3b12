"""``livelight run`` with log, Prometheus, presets and GStreamer: the real command with fakes for network and light."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from livelight.config import RelightSettings
from livelight.control import Control
from livelight.errors import DeviceError, MissingSystemPackage, OutputError
from livelight.gstreamer_library import load_gst
from livelight.live_commands import LiveCommands
from livelight.live_stats import LiveStats
from livelight.preset_store import PresetStore
from livelight.sinks.choice import open_sink
from livelight.sources.choice import CameraChoice
from pipelines.run import _keep_what_is_read, run
from pipelines.run_keys import LiveKeys
from pipelines.run_settings import RunSettings
from tests.pipelines.test_run import ROOT, RUN


def scraped(address):
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read().decode()


def test_log_and_prometheus_tell_of_the_session(tmp_path):
    log = tmp_path / "run.log"
    words = [*RUN, "--sink", "none", "--always", "--log", str(log), "--metrics", "0"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ)
    try:
        address = re.search(r"http://\S+/metrics", process.stderr.readline())[0]
        until = time.monotonic() + 120
        while not re.search(r"livelight_frames_shown_total [1-9]", told := scraped(address)):
            assert time.monotonic() < until, told
            time.sleep(0.2)
        assert 'livelight_phase{phase="running"} 1.0' in told
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    finally:
        process.kill()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert any("to quit" in line["message"] for line in lines)
    assert lines[-1]["source"] == "livelight.figures"
    assert lines[-1]["shown"] > 0


@pytest.mark.parametrize("name", ["camera", "sink", "env", "background"])
def test_a_log_never_goes_into_a_file_of_the_picture(tmp_path, name):
    given = tmp_path / "file.mp4"
    if name != "sink":
        given.write_bytes(b"")  # as an empty file it would be taken for a log
    with pytest.raises(OutputError, match=f"--log .* is the file of --{name} itself; choose another name"):
        run(RunSettings(**{"camera": "pattern", "sink": "none", name: str(given), "log": str(given)}), True)
    assert not given.exists() or given.read_bytes() == b""


def test_a_log_may_be_called_as_a_sink_or_a_preset_is():
    for word in ("none", "neon"):
        _keep_what_is_read(RunSettings(camera="pattern", sink="none", env="neon", log=word))
    long = "gst:" + "videotestsrc" * 40
    _keep_what_is_read(RunSettings(camera=long, sink=long, log="-"))


def test_digits_take_up_presets(tmp_path):
    store, said = PresetStore(tmp_path), []
    store.save("b", {"env": "split"})
    store.save("A", {"env": "rim", "pitch": 4})
    control = Control(RelightSettings(env="neon"))
    keys = LiveKeys(control, LiveCommands(), LiveStats(), said.append, ["neon"], store)
    keys.press("1")
    assert (control.settings.env, control.settings.pitch) == ("rim", 4)
    keys.press("2")
    assert control.settings.env == "split"
    keys.press("3")
    assert said == [
        "Preset: A",
        "Preset: b",
        "There is no preset number 3; save one with: livelight preset save NAME --env ...",
    ]
    (tmp_path / "b.toml").write_text("env = ")
    keys.press("2")
    assert "cannot be used" in said[-1]


def test_gstreamer_as_camera_and_as_sink(tmp_path):
    try:
        load_gst()
    except MissingSystemPackage as exc:
        pytest.skip(str(exc))
    camera = CameraChoice("gst:videotestsrc is-live=true ! video/x-raw,width=64,height=48", 64, 48, 30)
    assert not camera.is_device
    source = camera()
    frame = next(iter(source))
    source.close()
    played = CameraChoice("gst:videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48", 64, 48, 30)()
    assert played.live
    assert [f.width for f, _ in zip(played, range(5), strict=False)] == [64] * 5
    played.close()
    sink = open_sink(f"gst:jpegenc ! multifilesink location={tmp_path}/%d.jpg", 64, 48, 30)
    sink.write(frame)
    sink.close()
    assert (tmp_path / "0.jpg").stat().st_size > 100
    with pytest.raises(DeviceError):
        open_sink("gst:nosuchsink", 64, 48, 30)
