"""``livelight run``: the real command with fakes for network and light; keys, terminal, signals, recordings."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from livelight.config import RelightSettings
from livelight.control import Control
from livelight.errors import DeviceError, MissingExtra, OutputError
from livelight.live_commands import LiveCommands
from livelight.live_stats import LiveStats
from livelight.sinks.choice import open_sink
from livelight.sinks.loopback import LoopbackSink, list_loopbacks
from livelight.sinks.memory import MemorySink
from livelight.sinks.recording import RecordingSink
from livelight.sinks.tee import TeeSink
from livelight.sources.synthetic import SyntheticSource
from pipelines.cameras import lines_of
from pipelines.run import figures_line
from pipelines.run_keys import HELP, LiveKeys
from pipelines.terminal import split_keys
from tests.clips import pictures_of
from tests.sources.test_real_time import WEBCAM

ROOT = Path(__file__).parent.parent.parent
RUN = [sys.executable, "-m", "tests.pipelines.with_fakes", "run", "--size", "160x90", "--camera", "pattern"]


def started(*arguments, hang="", **more):
    """The command, past its greeting."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "LIVELIGHT_TEST_HANG": hang}
    process = subprocess.Popen(
        [*RUN, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env, **more
    )
    said = process.stdout.readline() if hang else process.stderr.readline()
    assert "hanging" in said if hang else "to quit" in said
    return process


def ended(process, number):
    process.send_signal(number)
    try:
        _, told = process.communicate(timeout=120)
    finally:
        process.kill()
    assert "Traceback" not in told
    return process.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_a_recording_is_whole(tmp_path, number):
    out = tmp_path / "out.mp4"
    process = started("--sink", str(out))
    time.sleep(2)
    assert ended(process, number) == 128 + number
    times = [float(moment) for moment, _ in pictures_of(out)]
    assert times[0] == 0
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("source", signal.SIGTERM),
        ("engine", signal.SIGINT),
        ("light", signal.SIGTERM),
        ("step", signal.SIGINT),
        ("sink", signal.SIGTERM),
        ("sink", signal.SIGKILL),
    ],
)
def test_a_signal_ends_it_where_native_code_hangs(stage, number):
    status = ended(started("--sink", "none", hang=stage), number)
    assert status == (-number if number == signal.SIGKILL else 128 + number)


@pytest.mark.parametrize("stage", ["step", "sink"])
def test_a_stage_that_fails_ends_it_with_one_sentence(stage):
    """The network throws; the virtual camera is gone."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "LIVELIGHT_TEST_FAIL": stage}
    done = subprocess.run([*RUN, "--sink", "none"], capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    assert done.returncode == 1
    greeting, sentence = done.stderr.strip().splitlines()
    assert "to quit" in greeting
    assert sentence == f"livelight: The {stage} has failed."


def test_killed_while_it_records_leaves_no_final_file(tmp_path):
    process = started("--sink", str(tmp_path / "out.mp4"))
    time.sleep(1)
    assert ended(process, signal.SIGKILL) == -signal.SIGKILL
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--camera", "nothing.mp4", "--sink", "none"], "nothing.mp4 does not exist"),
        (["--sink", "/dev/nothing"], "There is no /dev/nothing; v4l2loopback makes such devices"),
        (["--sink", "out.xyz"], "Cannot write video as '.xyz'; use one of"),
        (["--sink", "/dev/null"], "/dev/null is no video device"),
        (["--sink", "none", "--size", "12800x72000"], "A size is WIDTHxHEIGHT"),
        (["--camera", "no such camera", "--sink", "none"], "There is no camera 'no such camera'"),
    ],
)
def test_what_cannot_be_opened_is_told_in_one_sentence(arguments, sentence):
    done = subprocess.run([*RUN, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_recording_never_replaces_what_it_is_made_from(tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"precious")
    done = subprocess.run(
        [*RUN, "--camera", clip, "--sink", clip, "--force"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert "is the file of --camera itself; choose another name" in done.stderr
    assert clip.read_bytes() == b"precious"


@pytest.fixture
def keys():
    said = []
    made = LiveKeys(
        Control(RelightSettings(env="neon")), LiveCommands(), LiveStats(), said.append, ["neon", "ring", "split"]
    )
    made.said = said
    return made


def test_environments_by_key(keys):
    for expected in ("ring", "split", "neon"):
        keys.press("n")
        assert keys._control.settings.env == expected
    keys.press("p")
    assert keys._control.settings.env == "split"
    own = LiveKeys(Control(RelightSettings(env="my.hdr")), LiveCommands(), LiveStats(), print, ["neon", "ring"])
    own.press("p")
    own.press("n")
    assert own._control.settings.env == "my.hdr"


def test_turning_by_key(keys):
    for key, expected in ((".", "1"), (">", "11"), ("\x1b[D", "10"), ("\x1b[1;2D", "0"), ("<", "-10")):
        keys.press(key)
        assert keys._control.settings.rotate == expected
    keys._stats.light_s = 17.5
    keys.press("a")
    assert keys._angle() % 360 == 350  # it begins where the light is
    keys._stats.light_s = 20.0
    assert keys._angle() % 360 == 80
    keys.press("a")
    assert keys._control.settings.rotate == "80"
    keys.press("z")
    assert keys._control.settings.rotate == "0"
    assert keys._commands.resets == 1


def test_other_keys(keys):
    for key in "++=-]]]":
        keys.press(key)
    assert keys._control.settings.exposure == 1.0
    assert keys._control.settings.intensity == 1.3
    for key in "]]]]]":
        keys.press(key)
    assert keys._control.settings.intensity == 1.5
    keys.press("[")
    assert keys._control.settings.intensity == 1.4
    for expected in ("blur", "env", "keep"):
        keys.press("b")
        assert keys._control.settings.background == expected
    keys.press(" ")
    keys.press("i")
    assert keys._commands.paused
    assert keys._commands.bypass
    keys.press("f")
    assert keys.figures
    keys.press("?")
    assert HELP in keys.said[-1]
    keys.press("\x1b[Z")
    keys.press("q")
    assert keys._commands.stopped


def test_every_key_of_the_help_does_something(keys):
    named = [line[2:9].split() + line[41:47].split() for line in HELP.splitlines()]
    known = {*keys._actions(), "space"}
    assert {key for line in named for key in line} <= known


def test_keys_of_a_terminal():
    assert split_keys("n\x1b[D\x1b[1;2Cq") == ["n", "\x1b[D", "\x1b[1;2C", "q"]


def test_a_terminal_gives_single_keys_and_is_given_back():
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    outer, inner = pty.openpty()
    before = termios.tcgetattr(inner)
    env = os.environ | {"PYTHONPATH": str(ROOT)}

    def own_terminal():
        os.setsid()
        import fcntl

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [*RUN, "--sink", "none"],
        stdin=inner,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=env,
        preexec_fn=own_terminal,
    )
    assert "Press ? for the keys" in process.stderr.readline()
    assert termios.tcgetattr(inner)[3] != before[3]
    os.write(outer, b"b")
    assert "Background: blur" in process.stderr.readline()
    os.write(outer, b"q")
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert termios.tcgetattr(inner) == before
    os.close(inner)
    os.close(outer)


def frames(count):
    return list(SyntheticSource(160, 90, frame_count=count))


def test_a_recording_has_its_own_clock(tmp_path):
    sink = RecordingSink(tmp_path / "out.mkv", 30)
    first, second, third = frames(3)
    for frame, captured_s in ((first, 5.0), (second, 5.5), (third, 5.4)):
        sink.write(type(frame)(frame.image, 7, frame.time_base, captured_s))
    with pytest.raises(OutputError, match="size"):
        sink.write(next(iter(SyntheticSource(64, 64))))
    sink.close()
    moments = [float(moment) for moment, _ in pictures_of(tmp_path / "out.mkv")]
    assert moments == pytest.approx([0, 0.5, 0.5], abs=0.002)
    empty = RecordingSink(tmp_path / "empty.mp4", 30)
    empty.close()
    assert not (tmp_path / "empty.mp4").exists()


def test_one_stream_into_several_sinks():
    both = [MemorySink(), MemorySink()]
    tee = TeeSink(both)
    for frame in frames(2):
        tee.write(frame)
    tee.close()
    assert [len(sink.frames) for sink in both] == [2, 2]
    assert all(sink.closed for sink in both)
    assert tee.watched()
    assert open_sink("none", 64, 48, 30).watched()


def test_sinks_that_are_not_there():
    assert list_loopbacks(Path("/nonexistent")) == []
    with pytest.raises(DeviceError, match="modprobe"):
        LoopbackSink("/dev/nothing", 64, 48, 30)
    if not list_loopbacks():
        with pytest.raises(DeviceError, match="no virtual camera"):
            open_sink("LiveLight", 64, 48, 30)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X displays")
def test_a_preview_without_a_desktop_is_told(monkeypatch):
    from livelight.sinks.window import WindowSink, has_x_display

    for display in ("", ":4711"):
        monkeypatch.setenv("DISPLAY", display)
        with pytest.raises(OutputError, match="expected an X display"):
            WindowSink(print)
    assert has_x_display("other-machine:0")


def test_without_pyvirtualcam_the_pip_command_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingExtra, match=r"livelight\[vcam\]"):
        open_sink("obs", 64, 48, 30)


def test_a_camera_is_listed_with_its_modes():
    from livelight.sources.camera_list import Camera

    lines = lines_of(Camera(2, "BRIO", "/dev/video2", modes=WEBCAM))
    assert lines[0] == "2  BRIO  /dev/video2"
    assert "   MJPG  1280x720  30, 15 fps" in lines


def test_figures_for_people():
    stats = LiveStats()
    assert figures_line(stats.read()) == "starting"
    stats.phase = "running"
    stats.frame_shown(time.monotonic())
    assert "fps" in figures_line(stats.read())


def test_the_help_says_that_a_file_plays_again_and_what_goes_through_it_once():
    done = subprocess.run([*RUN, "--help"], capture_output=True, text=True, cwd=ROOT, check=True)
    shown = " ".join(done.stdout.split())
    assert "again and again until you stop (livelight relight goes through a file once)" in shown
