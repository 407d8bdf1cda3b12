import functools
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest

from livelight.sources.synthetic import SyntheticSource
from pipelines import cli
from pipelines.clip_settings import ClipSettings
from pipelines.options import option_name
from tests.clips import flat, moving, packets_of, pictures_of, write_clip
from tests.pipelines import with_fakes
from tests.pipelines.conftest import Run


@pytest.fixture
def livelight(in_process: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """With stand-ins for the engines."""
    import_module("pipelines.extra_outputs")  # it must not meet the fakes on its first import and keep them
    with_fakes.install(monkeypatch.setattr)
    return in_process


def one_sentence(stderr):
    assert "Traceback" not in stderr
    lines = stderr.splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("livelight: ")
    return lines[0]


def test_a_clip_comes_out_whole(tmp_path, livelight):
    original = write_clip(tmp_path / "in.mp4", moving(30), audio_s=1.2)
    status, stderr = livelight("relight", original, "-o", tmp_path / "out.mp4")
    assert (status, one_sentence(stderr)) == (0, f"livelight: {tmp_path / 'out.mp4'}: 30 frames.")
    old, new = pictures_of(original), pictures_of(tmp_path / "out.mp4")
    assert [time_s for time_s, _ in old] == [time_s for time_s, _ in new]
    assert max(np.abs(a.astype(int) - b).mean() for (_, a), (_, b) in zip(old, new, strict=True)) < 6
    assert packets_of(original, "audio") == packets_of(tmp_path / "out.mp4", "audio")


def test_names_that_look_like_protocols_or_patterns(tmp_path, livelight, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "in.mp4", moving(2)).rename(tmp_path / "a:b %d.mp4")
    assert livelight("relight", "a:b %d.mp4", "-o", "http:x %d ünï.mp4", "-q") == (0, "")
    assert (tmp_path / "http:x %d ünï.mp4").exists()


def test_compare_shows_both(tmp_path, livelight):
    original = write_clip(tmp_path / "in.mp4", moving(3))
    assert livelight("relight", original, "-o", tmp_path / "out.mkv", "--compare", "-q") == (0, "")
    _, picture = pictures_of(tmp_path / "out.mkv")[1]
    assert picture.shape == (48, 128, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_stays_a_picture(tmp_path, livelight, suffix):
    image = SyntheticSource().image(0)
    cv2.imwrite(str(tmp_path / "in.png"), image[..., ::-1])
    assert livelight("relight", tmp_path / "in.png", "-o", tmp_path / f"out{suffix}", "-q") == (0, "")
    assert np.abs(cv2.imread(str(tmp_path / f"out{suffix}"))[..., ::-1].astype(int) - image).mean() < 2


def test_several_inputs_fill_a_folder(tmp_path, livelight):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    inputs = [write_clip(tmp_path / where / "clip.mp4", moving(n)) for n, where in ((3, "a"), (4, "b"))]
    inputs.append(write_clip(tmp_path / "old.avi", moving(5), codec="mpeg4"))
    cv2.imwrite(str(tmp_path / "face.png"), flat((1, 2, 3)))
    status, _ = livelight("relight", *inputs, tmp_path / "face.png", "-o", tmp_path / "new" / "out", "-q")
    assert status == 0
    folder = tmp_path / "new" / "out"
    assert {p.name for p in folder.iterdir()} == {"clip.mp4", "clip-2.mp4", "old.mp4", "face.png"}
    assert [len(pictures_of(folder / name)) for name in ("clip.mp4", "clip-2.mp4", "old.mp4")] == [3, 4, 5]


def test_one_bad_input_does_not_stop_the_others(tmp_path, livelight):
    (tmp_path / "bad.mp4").write_text("no video")
    good = write_clip(tmp_path / "good.mp4", moving(3))
    status, stderr = livelight("relight", tmp_path / "bad.mp4", good, "-o", tmp_path / "out", "-q")
    assert status == 1
    assert "bad.mp4" in one_sentence(stderr)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["good.mp4"]


def bad_inputs(folder):
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video in here\n" * 50)
    (folder / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "dir.mp4").mkdir()
    (folder / "photo.heic").touch()
    cut = write_clip(folder / "cut.mp4", moving(9))
    cut.write_bytes(cut.read_bytes()[:-400])
    return {
        "none.mp4": "does not exist",
        "empty.mp4": "0 bytes",
        "text.mp4": "does not know this format",
        "cut.png": "no readable picture",
        "dir.mp4": "is a folder",
        "photo.heic": "convert it first",
        "cut.mp4": "moov",
    }


def test_bad_inputs_get_one_sentence_and_leave_nothing(tmp_path, livelight):
    (tmp_path / "out").mkdir()
    for name, words in bad_inputs(tmp_path).items():
        target = tmp_path / "out" / f"result{Path(name).suffix}"
        status, stderr = livelight("relight", tmp_path / name, "-o", target)
        assert status == 1
        assert words in one_sentence(stderr)
        assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("cause", ["same", "link", "exists", "folder", "picture", "codec", "suffix", "readonly"])
def test_bad_outputs_get_one_sentence_and_change_nothing(tmp_path, livelight, cause):
    original = write_clip(tmp_path / "in.mp4", moving(3))
    (tmp_path / "old.mp4").write_bytes(b"precious")
    (tmp_path / "link.mp4").hardlink_to(original)
    before = original.read_bytes()
    output, extra, words = {
        "same": (original, ["--force"], "is the input"),
        "link": (tmp_path / "link.mp4", ["--force"], "is the input"),
        "exists": (tmp_path / "old.mp4", [], "--force"),
        "folder": (tmp_path / "none" / "out.mp4", [], "does not exist"),
        "picture": (tmp_path / "out.png", [], ".mp4"),
        "codec": (tmp_path / "out.webm", ["--codec", "h264"], "vp9"),
        "suffix": (tmp_path / "out.avi", [], ".mp4"),
        "readonly": (Path("/proc/out.mp4"), [], "Cannot write"),
    }[cause]
    status, stderr = livelight("relight", original, "-o", output, *extra)
    assert status == 1
    assert words in one_sentence(stderr)
    assert original.read_bytes() == before
    assert (tmp_path / "old.mp4").read_bytes() == b"precious"
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4", "old.mp4", "link.mp4"}


def test_force_replaces(tmp_path, livelight):
    original = write_clip(tmp_path / "in.mp4", moving(3))
    (tmp_path / "old.mp4").write_bytes(b"old")
    assert livelight("relight", original, "-o", tmp_path / "old.mp4", "--force", "-q") == (0, "")
    assert len(pictures_of(tmp_path / "old.mp4")) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["in.mp4"],
        ["in.mp4", "-o", "o.mp4", "--pitch", "100"],
        ["in.mp4", "-o", "o.mp4", "--intensity", "bright"],
        ["in.mp4", "-o", "o.mp4", "--exposure", "loud"],
        ["in.mp4", "-o", "o.mp4", "--runtime", "cuda"],
        ["in.mp4", "-o", "o.mp4", "--crf", "-1"],
        ["in.mp4", "-o", "o.mp4", "--unknown"],
    ],
)
def test_wrong_use_is_status_2_and_names_the_option(livelight, arguments):
    status, stderr = livelight("relight", *arguments)
    assert status == 2
    assert "Traceback" not in stderr
    for option in arguments[3:4]:
        assert option in stderr


def test_an_input_that_breaks_off_keeps_what_came(tmp_path, livelight):
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
    path = write_clip(tmp_path / "in.mp4", list(noise), container_options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    status, stderr = livelight("relight", path, "-o", tmp_path / "out.mp4", "-q")
    assert status == 1
    assert "truncated" in one_sentence(stderr)
    assert str(tmp_path / "out.partial.mp4") in stderr
    assert 25 < len(pictures_of(tmp_path / "out.partial.mp4")) < 45
    assert not (tmp_path / "out.mp4").exists()


def test_ctrl_c_keeps_an_input_that_has_the_name_of_the_partial(tmp_path):
    original = write_clip(tmp_path / "out.partial.mp4", moving(300))
    before = original.read_bytes()
    run = start("relight", original, "-o", tmp_path / "out.mp4", step_s=0.1)
    wait_for_part(tmp_path)
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=30)
    assert run.returncode == 130, stderr
    assert original.read_bytes() == before
    assert str(tmp_path / "out.partial-2.mp4") in one_sentence(stderr)
    assert pictures_of(tmp_path / "out.partial-2.mp4")
    assert {p.name for p in tmp_path.iterdir()} == {"out.partial.mp4", "out.partial-2.mp4"}


@pytest.mark.parametrize("size", [(1, 1), (65, 47), (7680, 4320)])
def test_odd_tiny_and_huge_frames(tmp_path, livelight, size):
    path = write_clip(tmp_path / "in.mkv", [flat((90, 120, 150), *size)], codec="mjpeg", pix_fmt="yuvj444p")
    status, stderr = livelight("relight", path, "-o", tmp_path / "out.mp4", "-q", "--crf", "40")
    assert status == 0
    ((_, picture),) = pictures_of(tmp_path / "out.mp4")
    assert picture.shape[:2] == tuple(side + side % 2 for side in size[::-1])
    assert ("border pixels are repeated" in stderr) == bool(size[0] % 2)
    assert np.abs(picture.reshape(-1, 3)[::997].astype(int) - (90, 120, 150)).max() <= 12


def start(*arguments, step_s=0.0):
    environment = os.environ | {"LIVELIGHT_TEST_STEP_S": str(step_s)}
    command = [sys.executable, "-m", "tests.pipelines.with_fakes", *map(str, arguments)]
    # A test run in the background of a shell ignores SIGINT, and would hand that down.
    listen = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=listen)


def wait_for_part(folder):
    """Until the encoder has written something beside the input."""
    for _ in range(600):
        if any(p.name.endswith(".part") and p.stat().st_size for p in folder.iterdir()):
            return
        time.sleep(0.05)
    raise AssertionError("no output begun")


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_encoders_do_not_chatter(tmp_path, codec):
    original = write_clip(tmp_path / "in.mp4", moving(5))
    run = start("relight", original, "-o", tmp_path / "out.mp4", "--codec", codec, "-q")
    assert run.communicate(timeout=60)[1] == ""
    assert run.returncode == 0


@pytest.mark.parametrize(
    ("number", "status", "left"),
    [
        (signal.SIGINT, 130, {"in.mp4", "out.partial.mp4"}),
        (signal.SIGTERM, 143, {"in.mp4", "out.partial.mp4"}),
        (signal.SIGKILL, -9, {"in.mp4", "part"}),
    ],
)
def test_signals(tmp_path, number, status, left):
    original = write_clip(tmp_path / "in.mp4", moving(300), audio_s=10)
    run = start("relight", original, "-o", tmp_path / "out.mp4", step_s=0.1)
    wait_for_part(tmp_path)
    time.sleep(0.5)
    run.send_signal(number)
    _, stderr = run.communicate(timeout=30)
    assert run.returncode == status, stderr
    assert "Traceback" not in stderr
    assert {"part" if p.name.endswith(".part") else p.name for p in tmp_path.iterdir()} == left
    if number != signal.SIGKILL:
        assert str(tmp_path / "out.partial.mp4") in one_sentence(stderr)
        frames = len(pictures_of(tmp_path / "out.partial.mp4"))
        assert 1 <= frames < 200
        assert packets_of(tmp_path / "out.partial.mp4", "audio")[-1][0] < frames / 30 + 0.5


def test_memory_does_not_grow_with_the_clip(tmp_path):
    """Peak memory of a clip five times as long: within 30 MB, where its frames alone would be 104 MB.

    By hand, ten minutes of 720p: python -m tests.pipelines.ten_minutes
    """

    def peak_mb(count):
        path = tmp_path / f"in{count}.mp4"
        images = [SyntheticSource(320, 180).image(index) for index in range(50)]
        write_clip(path, images * (count // 50), audio_s=count / 30)
        run = start("relight", path, "-o", tmp_path / f"out{count}.mp4", "-q")
        _, status, used = os.wait4(run.pid, 0)
        run.stderr.close()
        assert os.waitstatus_to_exitcode(status) == 0
        return used.ru_maxrss / 1024

    short, long = peak_mb(150), peak_mb(750)
    assert long - short < 30


def test_every_setting_is_an_option_with_its_description(livelight, monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["livelight", "relight", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    shown = " ".join(capfd.readouterr().out.split())
    for name, field in ClipSettings.model_fields.items():
        assert option_name(name) in shown
        assert field.description.split()[0] in shown


def test_the_command_line_loads_nothing_heavy():
    heavy = ("av", "cv2", "numpy", "rich.progress", "openvino", "onnxruntime", "mediapipe", "torch")
    code = f"import sys, pipelines.cli; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
