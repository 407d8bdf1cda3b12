"""What ``livelight bench`` does with a file for its figures that cannot be written, or is another."""

import json
from pathlib import Path

import pytest

from livelight.config import RelightSettings
from livelight.errors import OutputError
from livelight.fakes import IdentityRelighter
from pipelines import bench as command
from tests.clips import flat, write_clip


@pytest.fixture
def measured(monkeypatch):
    """Sizes that were measured; the relighter is a fake."""
    sizes, real = [], command.measure
    monkeypatch.setattr(command, "open_relighter", lambda settings: IdentityRelighter())
    monkeypatch.setattr(command, "measure", lambda clip, size, *rest: sizes.append(size) or real(clip, size, *rest))
    return sizes


@pytest.mark.parametrize("name", ["nowhere/out.json", "."])
def test_a_place_that_is_none_is_refused_before_measuring(tmp_path, measured, name):
    with pytest.raises(OutputError, match="cannot be written"):
        command.bench(None, None, 1, False, tmp_path / name, RelightSettings())
    assert measured == []


def test_the_clip_and_other_files_are_refused_before_measuring_and_figures_replaced(tmp_path, measured):
    clip = write_clip(tmp_path / "clip.mp4", [flat((90, 120, 150), 64, 48)] * 3)
    notes, before = tmp_path / "notes.txt", clip.read_bytes()
    notes.write_text("of my own")
    with pytest.raises(OutputError, match="is CLIP itself"):
        command.bench(clip, None, 1, False, clip, RelightSettings())
    with pytest.raises(OutputError, match="holds no figures"):
        command.bench(clip, None, 1, False, notes, RelightSettings())
    assert (clip.read_bytes(), notes.read_text(), measured) == (before, "of my own", [])
    for frames in (1, 2):
        command.bench(clip, None, frames, False, tmp_path / "out.json", RelightSettings())
        assert json.loads((tmp_path / "out.json").read_text())["frames"] == frames


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_in_a_sentence(tmp_path, measured):
    clip = write_clip(tmp_path / "clip.mp4", [flat((90, 120, 150), 64, 48)] * 3)
    (tmp_path / "out.json").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space"):
        command.bench(clip, None, 1, False, tmp_path / "out.json", RelightSettings())
    assert measured == [None]
