"""Names that nobody means: too long, empty, a file's for a folder; one sentence, and nothing is made."""

import pytest

from livelight.backdrop import open_backdrop
from livelight.config import LightSettings
from livelight.errors import LightError, OutputError
from livelight.light_source import open_light
from pipelines.clip_job import plan_jobs
from tests.clips import flat, write_clip
from tests.pipelines.conftest import Run

LONG = "a" * 300


def refused(livelight: Run, *arguments: object) -> str:
    status, stderr = livelight(*arguments)
    *_, last = stderr.splitlines()
    assert status == 1
    assert "Traceback" not in stderr
    assert last.startswith("livelight: ")
    return last


@pytest.mark.parametrize(
    "arguments",
    [
        ["relight", f"{LONG}.mp4", "-o", "o.mp4"],
        ["relight", "in.mp4", "-o", f"{LONG}.mp4"],
        ["relight", "in.mp4", "in.mp4", "-o", f"{LONG}/"],
        ["envs", f"{LONG}.hdr"],
        ["metrics", f"{LONG}.mp4"],
        ["metrics", "in.mp4", "--truth", f"{LONG}.mp4"],
        ["bench", f"{LONG}.mp4"],
    ],
)
def test_a_name_that_is_too_long_is_one_sentence(tmp_path, monkeypatch, in_process, arguments):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "in.mp4", [flat((1, 2, 3))])
    told = refused(in_process, *arguments)
    assert f"The file name {LONG[:40]}... is longer than the system allows" in told
    assert "give a shorter one" in told
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_a_light_or_background_of_such_a_name_is_no_file():
    """Live too, where the light changes while the picture runs."""
    with pytest.raises(LightError, match="no such file"):
        open_light(f"{LONG}.hdr", 60)
    with pytest.raises(LightError, match="no such file"):
        open_backdrop(LightSettings(background=f"{LONG}.png"), open_light("rim", 60))


@pytest.mark.parametrize("name", ["both.mp4", "both.PNG"])
def test_several_inputs_make_no_folder_that_is_called_like_a_file(tmp_path, name):
    clips = [write_clip(tmp_path / f"{each}.mp4", [flat((1, 2, 3))]) for each in "ab"]
    with pytest.raises(OutputError, match="is the name of a file, but 2 inputs need a folder; give a folder with -o"):
        plan_jobs(clips, str(tmp_path / name))
    assert not (tmp_path / name).exists()
    for _ in ("made", "there already"):
        assert len(plan_jobs(clips, f"{tmp_path / name}/")) == 2
    assert len(plan_jobs(clips, str(tmp_path / name))) == 2  # it is a folder by now
    assert len(plan_jobs(clips, str(tmp_path / "take.2"))) == 2


def test_an_empty_name_is_called_empty(tmp_path, monkeypatch, in_process):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "in.mp4", [flat((1, 2, 3))])
    assert "an empty one came; give . for this folder" in refused(in_process, "relight", "in.mp4", "-o", "")
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]
    with pytest.raises(LightError, match="empty name came as env; give a preset"):
        open_light("", 60)
    with pytest.raises(LightError, match="empty name came as background; give keep"):
        open_backdrop(LightSettings(background=""), open_light("rim", 60))
