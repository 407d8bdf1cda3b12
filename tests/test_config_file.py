"""The configuration file, and what comes over it."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from livelight.config_file import read_config
from livelight.errors import SettingsError
from livelight.preset_store import PresetStore
from pipelines.options import with_settings
from pipelines.run_settings import RunSettings


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVELIGHT_CONFIG", str(tmp_path))
    return tmp_path


def write(folder, text):
    (folder / "config.toml").write_text(text)


def test_a_command_takes_what_is_at_the_top_and_in_its_table(folder):
    write(folder, 'env = "neon"\nrotate = 90\n[run]\nfps = 25\npreview = true\nenv = "split"\n[serve]\nport = 1\n')
    settings = RunSettings(**read_config("run", RunSettings))
    assert (settings.env, settings.rotate, settings.fps, settings.preview) == ("split", "90", 25, True)


def test_no_file_is_no_fault_but_a_named_one_must_be_there(folder):
    assert read_config("run", RunSettings) == {}
    with pytest.raises(SettingsError, match=r"mine\.toml does not exist"):
        read_config("run", RunSettings, folder / "mine.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("env = ", "cannot be read"),
        ('envs = "neon"', "envs is no setting; did you mean env"),
        ('sink = "obs"', "sink is no setting"),
        ("[run]\nframes = 30", r"\[run\] frames is no setting"),
        ("[runs]\nfps = 30", "runs is no setting; did you mean run"),
        ("run = 3", "run must be a table"),
        ("[run]\nfps = 1000", "fps: Input should be less than or equal to 240, got '1000'"),
        ("intensity = [1]", "intensity: "),
    ],
)
def test_a_fault_names_file_and_field(folder, text, said):
    write(folder, text)
    with pytest.raises(SettingsError, match=said) as told:
        read_config("run", RunSettings)
    assert "config.toml" in str(told.value)


@pytest.fixture
def settings_of(folder):
    """What a command gets for some words of the command line."""
    got = []
    app = typer.Typer()

    @app.command()
    @with_settings(RunSettings, configured="run")
    def command(settings: RunSettings, other: Annotated[int, typer.Option()] = 0) -> None:
        got.append(settings)

    def run(*words):
        done = CliRunner().invoke(app, words)
        if isinstance(done.exception, SettingsError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return got.pop()

    return run


def test_the_command_line_comes_over_the_preset_and_that_over_the_file(settings_of, folder):
    write(folder, 'env = "neon"\npitch = 5\nintensity = 0.5\n[run]\nalways = true\n')
    PresetStore().save("call", {"env": "split", "pitch": 7})
    plain = settings_of()
    assert (plain.env, plain.pitch, plain.intensity, plain.always) == ("neon", 5, 0.5, True)
    assert (settings_of("--preset", "call").env, settings_of("--preset", "call").pitch) == ("split", 7)
    all_three = settings_of("--preset", "call", "--pitch", "9")
    assert (all_three.env, all_three.pitch, all_three.intensity) == ("split", 9, 0.5)
    (folder / "other.toml").write_text('env = "rim"')
    assert settings_of("--config", str(folder / "other.toml")).env == "rim"
    with pytest.raises(SettingsError, match="no preset none"):
        settings_of("--preset", "none")
