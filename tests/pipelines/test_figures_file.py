"""What ``--json`` may replace, of ``livelight metrics`` and ``livelight bench``."""

import shutil
from pathlib import Path

import pytest

from livelight.errors import OutputError
from pipelines.figures_file import check_figures_file
from pipelines.metrics import metrics_command
from tests.clips import flat, write_clip


@pytest.mark.parametrize("given", ["OUT", "--truth", "--source"])
def test_metrics_never_replaces_a_clip_that_it_measures(tmp_path, monkeypatch, given):
    clips = {
        name: write_clip(tmp_path / f"{name}.mp4", [flat((9, 9, 9))] * 2) for name in ("OUT", "--truth", "--source")
    }
    before = clips[given].read_bytes()
    monkeypatch.setattr("pipelines.metrics.measure", lambda *_, **__: pytest.fail("measured before it was refused"))
    with pytest.raises(OutputError, match=f"is {given} itself"):
        metrics_command(*clips.values(), True, clips[given], print)
    assert clips[given].read_bytes() == before


def test_only_figures_are_replaced(tmp_path):
    target = tmp_path / "figures.json"
    check_figures_file(target, {})
    for harmless in ("", '{"psnr": 1}\n', "\n[1, 2]"):
        target.write_text(harmless)
        check_figures_file(target, {"CLIP": None, "OUT": tmp_path / "gone.mp4"})
    for other in (b"notes", b"{notes", b"[" * 100_000, b"\x89PNG\r\n", b"[\xff\xfe]"):
        target.write_bytes(other)
        with pytest.raises(OutputError, match="holds no figures as JSON; choose another name"):
            check_figures_file(target, {})
    shutil.copy(write_clip(tmp_path / "a.mp4", [flat((9, 9, 9))]), target)
    with pytest.raises(OutputError, match="holds no figures"):
        check_figures_file(target, {})
    with pytest.raises(OutputError, match="folder that exists"):
        check_figures_file(tmp_path / "nowhere" / "f.json", {})


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs /dev/null")
def test_a_device_takes_figures():
    check_figures_file(Path("/dev/null"), {})
