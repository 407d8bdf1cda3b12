"""The real command with tiny random weights in the published layout."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from livelight.sources.synthetic import SyntheticSource
from pipelines.working_size import working_size
from tests.clips import packets_of, pictures_of, write_clip
from tests.offline.tiny_weights import write_all
from tests.pipelines.conftest import Run

FAST = ("--size", "64x64", "--steps", "2", "--window", "4", "--overlap", "2", "--device", "cpu", "--env", "neon")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def livelight(in_process: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return in_process


def clip(folder, count=9, **how):
    images = [SyntheticSource(96, 72).image(3 * index) for index in range(count)]
    return write_clip(folder / "in.mp4", images, **how)


def diffusion(tiny, source, target, *more, model="relightvid"):
    return ("relight", source, "-o", target, "--model", model, "--weights", tiny, *FAST, *more)


def test_a_clip_keeps_its_times_sound_and_room(tmp_path, livelight, tiny):
    source = clip(tmp_path, pts=[0, 1, 2, 3, 5, 6, 7, 8, 12], audio_s=0.5)
    status, stderr = livelight(*diffusion(tiny, source, tmp_path / "out.mp4"))
    assert status == 0, stderr
    assert "CC BY-NC-SA" in stderr
    assert "about 9 frames in 8 windows" in stderr
    assert stderr.splitlines()[-1] == f"livelight: {tmp_path / 'out.mp4'}: 9 frames."
    old, new = pictures_of(source), pictures_of(tmp_path / "out.mp4")
    assert [t for t, _ in old] == [t for t, _ in new]
    assert packets_of(source, "audio") == packets_of(tmp_path / "out.mp4", "audio")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4", "state"]


def test_the_same_seed_gives_the_same_clip_and_another_another(tmp_path, livelight, tiny):
    source, results = clip(tmp_path, 5), []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        target = tmp_path / f"{name}.mkv"
        more = ("--codec", "ffv1", "--background", "env", "--seed", seed, "-q")
        assert livelight(*diffusion(tiny, source, target, *more))[0] == 0
        results.append(np.stack([picture for _, picture in pictures_of(target)]))
    np.testing.assert_array_equal(results[0], results[1])
    assert (results[0] != results[2]).any()


@pytest.mark.parametrize("model", ["ic-light-fc", "ic-light-fbc"])
def test_ic_light_relights_a_picture(tmp_path, livelight, tiny, model):
    import cv2

    cv2.imwrite(str(tmp_path / "in.png"), SyntheticSource(96, 72).image(0)[..., ::-1])
    status, stderr = livelight(*diffusion(tiny, tmp_path / "in.png", tmp_path / "out.png", model=model))
    assert status == 0, stderr
    assert cv2.imread(str(tmp_path / "out.png")).shape == (72, 96, 3)


OWN = ("--model", "diffusion", "--window", "4", "--overlap", "2", "--env", "neon")


def test_our_own_model_keeps_times_and_sound_and_takes_any_background(tmp_path, livelight):
    source = clip(tmp_path, pts=[0, 1, 2, 3, 5, 6, 7, 8, 12], audio_s=0.5)
    status, stderr = livelight(
        "relight", source, "-o", tmp_path / "out.mp4", *OWN, "--background", "env", "--tone", "1"
    )
    assert status == 0, stderr
    assert [t for t, _ in pictures_of(source)] == [t for t, _ in pictures_of(tmp_path / "out.mp4")]
    assert packets_of(source, "audio") == packets_of(tmp_path / "out.mp4", "audio")


KILLED = """
import os, signal, sys
from offline import own_passes
from pipelines import cli, own_clip

calls, places = [], {"prepare": (own_passes.Look, "at"), "finish": (own_clip.FinishStep, "step")}
owner, name = places[sys.argv[1]]
done, sys.argv = getattr(owner, name), sys.argv[1:]

def killed(*given):
    calls.append(given)
    if len(calls) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return done(*given)

setattr(owner, name, killed)
cli.main()
"""


def killed_in(phase, environment, command):
    """Run the command as a process of its own that is killed at the fifth frame of a phase."""
    program = [sys.executable, "-c", KILLED, phase, *map(str, command)]
    run = subprocess.run(program, env=os.environ | environment, stderr=subprocess.PIPE, text=True, timeout=900)
    assert run.returncode == -signal.SIGKILL, run.stderr


def test_our_own_model_killed_and_gone_on_is_the_same_clip(tmp_path, livelight):
    """Killed while it prepares, denoises and finishes: nothing lies under the final name, and all of it is used."""
    source, environment = clip(tmp_path, 12), {"XDG_STATE_HOME": str(tmp_path / "state")}
    more = (*OWN, "--steps", "2", "--codec", "ffv1")
    assert livelight("relight", source, "-o", tmp_path / "whole.mkv", *more, "-q")[0] == 0
    command = ("relight", source, "-o", tmp_path / "cut.mkv", *more)
    killed_in("prepare", environment, command)
    stopped_by(signal.SIGKILL, 3, environment, command)
    killed_in("finish", environment, command)
    assert not (tmp_path / "cut.mkv").exists()
    (left_over,) = tmp_path.glob(".cut.mkv.*.part")
    os.utime(left_over, (0, 0))
    assert livelight(*command, "-q")[0] == 0
    left = {path.name for path in tmp_path.iterdir()} - {"state"}
    assert left == {"in.mp4", "whole.mkv", "cut.mkv"}
    whole, cut = (pictures_of(tmp_path / name) for name in ("whole.mkv", "cut.mkv"))
    assert all((a == b).all() for (_, a), (_, b) in zip(whole, cut, strict=True))
    assert not (tmp_path / "cut.mkv.work").exists()


def test_a_missing_package_names_its_extra(tmp_path, livelight, monkeypatch, tiny):
    monkeypatch.setitem(sys.modules, "offline.models", None)
    status, stderr = livelight(*diffusion(tiny, clip(tmp_path, 2), tmp_path / "out.mp4"))
    assert status == 1
    assert "livelight[offline]" in stderr


STOPPED = """
import os, signal, sys
from offline.clip_run import ClipRun
from pipelines import cli

signal.signal(signal.SIGINT, signal.default_int_handler)
number, windows, sys.argv = int(sys.argv[1]), int(sys.argv[2]), sys.argv[2:]
save = ClipRun._save

def save_and_stop(self, written):
    save(self, written)
    if self.done == windows:
        os.kill(os.getpid(), number)

ClipRun._save = save_and_stop
cli.main()
"""


def stopped_by(number, windows, environment, command):
    """Run the command as a process of its own that meets a signal when `windows` are done; returns its stderr."""
    program = [sys.executable, "-c", STOPPED, str(number), str(windows), *map(str, command)]
    run = subprocess.run(program, env=os.environ | environment, stderr=subprocess.PIPE, text=True, timeout=900)
    assert run.returncode == (130 if number == signal.SIGINT else -number), run.stderr
    assert "Traceback" not in run.stderr
    return run.stderr


def test_stopped_twice_in_mid_run_and_gone_on_is_the_same_clip(tmp_path, livelight, tiny):
    source, environment = clip(tmp_path, 8), {"XDG_STATE_HOME": str(tmp_path / "state")}
    many = ("--steps", "4", "--codec", "ffv1", "--background", "env")
    assert livelight(*diffusion(tiny, source, tmp_path / "whole.mkv", *many, "-q"))[0] == 0
    command = diffusion(tiny, source, tmp_path / "cut.mkv", *many)
    checkpoint = tmp_path / "cut.mkv.work" / "checkpoint.npz"
    assert "the same command goes on" in stopped_by(signal.SIGINT, 4, environment, command)
    stopped_by(signal.SIGKILL, 8, environment, command)
    assert checkpoint.exists()
    assert not (tmp_path / "cut.mkv").exists()
    status, stderr = livelight(*command, "--seed", "5")
    assert status == 1
    assert "(other seed)" in stderr
    assert livelight(*command, "-q")[0] == 0
    whole, cut = (pictures_of(tmp_path / name) for name in ("whole.mkv", "cut.mkv"))
    assert all((a == b).all() for (_, a), (_, b) in zip(whole, cut, strict=True))
    assert not checkpoint.parent.exists()


def test_what_cannot_be_written_is_said_before_hours_of_work(tmp_path, livelight, tiny):
    source = clip(tmp_path, audio_s=0.5)
    for name, more, said in (("out.webm", (), "cannot hold the audio"), ("out.mkv", ("--codec", "nosuch"), "nosuch")):
        status, stderr = livelight(*diffusion(tiny, source, tmp_path / name, *more))
        assert status == 1
        assert said in stderr
        assert "windows" not in stderr
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4"}


def test_a_broken_first_file_does_not_stop_the_others(tmp_path, livelight):
    broken, source = tmp_path / "broken.mp4", clip(tmp_path, 3)
    broken.write_bytes(b"no video")
    status, stderr = livelight("relight", broken, source, "-o", tmp_path / "out/", *OWN, "-q")
    assert status == 1
    assert "broken.mp4" in stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("model", ["ours", "ic-light-fc"])
def test_a_clip_that_breaks_off_is_relit_up_to_there(tmp_path, livelight, tiny, model):
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
    source = write_clip(tmp_path / "in.mp4", list(noise), container_options={"movflags": "faststart"})
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 6 // 10])
    target = tmp_path / "out.mp4"
    if model == "ours":
        status, stderr = livelight("relight", source, "-o", target, *OWN, "-q")
    else:
        status, stderr = livelight(*diffusion(tiny, source, target, "-q", model=model))
    assert status == 1
    assert "truncated" in stderr
    assert 25 < len(pictures_of(tmp_path / "out.partial.mp4")) < 45
    assert {p.name for p in tmp_path.iterdir()} - {"state"} == {"in.mp4", "out.partial.mp4"}


@pytest.mark.parametrize("file", ["checkpoint.npz", "frames.json"])
def test_damaged_work_is_named_with_the_way_out(tmp_path, livelight, file):
    source, environment = clip(tmp_path, 12), {"XDG_STATE_HOME": str(tmp_path / "state")}
    command = ("relight", source, "-o", tmp_path / "out.mkv", *OWN, "--steps", "2", "-q")
    killed_in("finish", environment, command)
    (tmp_path / "out.mkv.work" / file).write_bytes(b"")
    status, stderr = livelight(*command)
    assert status == 1
    assert f"{file} is damaged; give --restart" in stderr
    assert livelight(*command, "--restart")[0] == 0


def test_an_extra_that_is_there_already_is_said_first(tmp_path, livelight):
    (tmp_path / "out.matte.mp4").touch()
    command = ("relight", clip(tmp_path, 3), "-o", tmp_path / "out.mp4", "--extra", "matte,light", "-q")
    status, stderr = livelight(*command)
    assert status == 1
    assert "out.matte.mp4 exists already" in stderr
    assert not (tmp_path / "out.mp4").exists()
    assert livelight(*command, "--force")[0] == 0
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4", "out.mp4", "out.matte.mp4", "out.light.mp4"}


def test_extras_of_the_live_relighter(tmp_path, livelight):
    source = clip(tmp_path, 3)
    more = ("--extra", "albedo,normals,matte,light", "-q")
    assert livelight("relight", source, "-o", tmp_path / "out.mp4", *more) == (0, "")
    for name in ("albedo", "normals", "matte", "light"):
        pictures = pictures_of(tmp_path / f"out.{name}.mp4")
        assert len(pictures) == 3
        assert pictures[0][1].shape == ((256, 512, 3) if name == "light" else (72, 96, 3))
    status, stderr = livelight("relight", source, "-o", tmp_path / "b.mp4", "--extra", "depth", "-q")
    assert status == 1
    assert "albedo, normals, matte, light" in stderr
    assert not (tmp_path / "b.mp4").exists()


def test_extras_as_exr(tmp_path, livelight):
    source = clip(tmp_path, 3)
    more = ("--extra", "normals", "--extra-format", "exr", "-q")
    assert livelight("relight", source, "-o", tmp_path / "out.mp4", *more) == (0, "")
    frames = sorted((tmp_path / "out.normals").iterdir())
    assert [f.name for f in frames] == ["000001.exr", "000002.exr", "000003.exr"]
    with OpenEXR.File(str(frames[0])) as file:
        values = file.channels()["RGB"].pixels
    length = np.linalg.norm(values.astype(np.float32), axis=2)
    assert set(np.round(length).ravel().tolist()) <= {0, 1}
    shutil.rmtree(tmp_path / "out.normals")


@pytest.mark.parametrize(
    ("frame", "size"), [((1280, 720), (704, 384)), ((720, 1280), (384, 704)), ((512, 512), (512, 512))]
)
def test_working_sizes(frame, size):
    assert working_size(*frame, None) == size
    assert working_size(*frame, "640x384") == (640, 384)
