import sys

import pytest

from pipelines import progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


def test_plain_lines_every_few_seconds(clock, capsys):
    lines = progress.LineProgress("a.mp4")
    for done in range(1, 301):
        clock[0] = 100 + done / 25
        lines.advance(done, 300)
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "a.mp4: frame 125 of 300, 25.0 fps, 7 s left"
    assert len(shown) == 2


def test_unknown_length(clock, capsys):
    lines = progress.LineProgress("a.mp4")
    clock[0] = 110
    lines.advance(50, None)
    assert capsys.readouterr().err == "a.mp4: frame 50 of ?, 5.0 fps\n"


def test_what_is_shown_where(monkeypatch):
    assert isinstance(progress.progress_for("a", quiet=True), progress.Silence)
    assert isinstance(progress.progress_for("a", quiet=False), progress.LineProgress)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert isinstance(progress.progress_for("[a]", quiet=False), progress.BarProgress)


def test_the_bar_tells_frames_rate_and_rest(capsys):
    with progress.BarProgress("[clip].mp4") as bar:
        bar.advance(50, 100)
        bar.advance(110, 100)  # a container's count may be wrong
    shown = capsys.readouterr().err
    assert "[clip].mp4" in shown
    assert "110/110" in shown
    assert "fps" in shown
