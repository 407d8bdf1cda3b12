"""``livelight preset`` from the command line."""

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from livelight.errors import LightError, SettingsError
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


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        (["--env", "candel"], LightError, "did you mean candle"),
        (["--env", "none.hdr"], LightError, "no such file"),
        (["--background", "blu"], LightError, "did you mean blu"),
        (["--rotate", "left"], SettingsError, "degrees"),
        ([], SettingsError, "would be empty"),
    ],
)
def test_what_can_never_work_is_refused_and_the_older_preset_stays(livelight, options, error, word):
    livelight("save", "warm", "--env", "candle")
    refused = livelight("save", "warm", *options).exception
    assert isinstance(refused, error)
    assert word in str(refused)
    assert livelight("show", "warm").output == 'env = "candle"\n'


def test_files_are_kept_by_their_whole_path(livelight, tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / "room.hdr"), np.ones((4, 8, 3), np.float32))
    monkeypatch.chdir(tmp_path)
    livelight("save", "mine", "--env", "room.hdr", "--background", "blur")
    assert livelight("show", "mine").output == f'env = "{tmp_path / "room.hdr"}"\nbackground = "blur"\n'
