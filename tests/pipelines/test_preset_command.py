"""``livelight preset`` from the command line."""

import pytest
from typer.testing import CliRunner

from livelight.errors import SettingsError
from pipelines.cli import app


@pytest.fixture
def livelight(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVELIGHT_CONFIG", str(tmp_path))
    return lambda *words: CliRunner().invoke(app, ["preset", *words], catch_exceptions=True)


def test_save_show_list_remove(livelight, tmp_path):
    assert livelight("save", "warm", "--env", "candle", "--exposure", "keep", "--rotate", "0..90").exit_code == 0
    assert (tmp_path / "presets" / "warm.toml").is_file()
    assert livelight("show", "warm").output == 'env = "candle"\nrotate = "0..90"\nexposure = "keep"\n'
    assert livelight("list").stdout == "warm\n"
    assert livelight("remove", "warm").exit_code == 0
    assert livelight("list").stdout == ""


def test_wrong_use_names_the_option(livelight):
    done = livelight("save", "warm", "--intensity", "2")
    assert done.exit_code == 2
    assert "--intensity" in done.output
    assert isinstance(livelight("show", "warm").exception, SettingsError)


def test_files_are_kept_by_their_whole_path(livelight, tmp_path, monkeypatch):
    (tmp_path / "room.hdr").touch()
    monkeypatch.chdir(tmp_path)
    livelight("save", "mine", "--env", "room.hdr", "--background", "blur")
    assert livelight("show", "mine").output == f'env = "{tmp_path / "room.hdr"}"\nbackground = "blur"\n'
