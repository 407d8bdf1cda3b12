"""No output ever replaces what the same run reads, not even with --force."""

import subprocess
import sys
from pathlib import Path

import pytest

from livelight.errors import OutputError
from pipelines.clip_job import plan_jobs
from pipelines.clip_settings import ClipSettings
from pipelines.extra_outputs import check_extras
from tests.clips import flat, write_clip

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", [flat((1, 2, 3))])


@pytest.mark.parametrize("option", ["env", "background", "model", "weights", "light_weights"])
def test_an_output_is_never_a_file_that_a_setting_names(clip, tmp_path, option):
    (tmp_path / "read.mp4").write_bytes(b"precious")
    (tmp_path / "link.mp4").hardlink_to(tmp_path / "read.mp4")
    settings = ClipSettings(force=True, **{option: str(tmp_path / "read.mp4")})
    for name in ("read.mp4", "link.mp4"):
        with pytest.raises(OutputError, match=f"is the file of --{option.replace('_', '-')} itself; choose another"):
            plan_jobs([clip], str(tmp_path / name), True, settings)
    assert plan_jobs([clip], str(tmp_path / "other.mp4"), True, settings)


def test_an_extra_is_never_a_file_that_is_read(clip, tmp_path):
    beside = clip.rename(tmp_path / "out.matte.mp4")
    settings = ClipSettings(force=True, extra="matte")
    with pytest.raises(OutputError, match=r"--extra output .* is the input"):
        check_extras(plan_jobs([beside], str(tmp_path / "out.mp4"), True, settings), settings)


def test_a_folder_of_exr_is_not_replaced_while_the_light_comes_from_it(clip, tmp_path):
    (tmp_path / "out.light").mkdir()
    panorama = tmp_path / "out.light" / "000001.exr"
    panorama.touch()
    settings = ClipSettings(force=True, extra="light", extra_format="exr", env=str(panorama))
    with pytest.raises(OutputError, match=r"out\.light is the file of --env itself"):
        check_extras(plan_jobs([clip], str(tmp_path / "out.mp4"), True, settings), settings)


def test_the_command_asks_before_it_replaces_a_background(clip, tmp_path):
    behind = write_clip(tmp_path / "bg.mp4", [flat((9, 9, 9))])
    before = behind.read_bytes()
    command = [sys.executable, "-m", "tests.pipelines.with_fakes", "relight", clip, "-o", behind, "--force"]
    done = subprocess.run([*command, "--background", behind], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "is the file of --background itself" in done.stderr
    assert behind.read_bytes() == before
