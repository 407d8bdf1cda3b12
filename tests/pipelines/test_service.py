"""``livelight service`` with a systemctl that writes down what it is told."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from livelight.errors import DeviceError, LightError, MissingSystemPackage, SettingsError
from pipelines.cli import app
from pipelines.service import quoted, unit_text


@pytest.fixture
def service(tmp_path, monkeypatch):
    """Runs the command; ``told`` is what systemctl was asked."""
    (tmp_path / "bin").mkdir()
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.write_text(
        f'#!/bin/sh\nshift\necho "$*" >> {tmp_path}/told\n'
        f'case "$1" in is-active) cat {tmp_path}/state;; is-enabled) echo enabled;; esac\n'
        f"[ ! -e {tmp_path}/broken ] || {{ echo no bus >&2; exit 1; }}\n"
        f'[ ! -e {tmp_path}/no_bus ] || [ "$1" = --version ] || {{ echo no bus >&2; exit 1; }}\n'
    )
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("LIVELIGHT_CONFIG", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("sys.platform", "linux")

    def run(*words):
        done = CliRunner().invoke(app, ["service", *words])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    run.told = lambda: (tmp_path / "told").read_text().splitlines()
    run.unit = tmp_path / "config" / "systemd" / "user" / "livelight.service"
    run.folder = tmp_path
    return run


def test_install_status_remove(service):
    assert service("status").exit_code == 3
    done = service("install", "--camera", "Logitech C920", "--env", "neon")
    assert done.exit_code == 0
    text = service.unit.read_text()
    assert '"run" "--quiet" "--wait" "--camera" "Logitech C920" "--env" "neon"\n' in text
    assert f"\nWorkingDirectory=-{Path.cwd()}\n" in text  # what names of files are relative to
    assert service.told() == ["--version", "daemon-reload", "enable livelight.service", "restart livelight.service"]
    (service.folder / "state").write_text("active\n")
    assert service("status").exit_code == 0
    (service.folder / "state").write_text("failed\n")
    assert service("status").exit_code == 3
    assert service("remove").exit_code == 0
    assert not service.unit.exists()
    assert service.told()[-2:] == ["disable --now livelight.service", "daemon-reload"]
    with pytest.raises(SettingsError, match="not installed"):
        service("remove")


def test_an_option_that_run_does_not_know_is_refused_before_anything_is_written(service):
    done = service("install", "--bogus", "3")
    assert done.exit_code == 2
    assert "--bogus" in done.output
    assert not service.unit.exists()


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        (["--env", "nosuch"], LightError, "nosuch"),
        (["--background", "nosuch"], LightError, "nosuch"),
        (["--rotate", "left"], SettingsError, "rotate"),
        (["--size", "big"], SettingsError, "WIDTHxHEIGHT"),
        (["--preset", "nosuch"], SettingsError, "no preset"),
    ],
)
def test_a_value_that_cannot_work_is_refused_before_anything_is_written(service, options, error, word):
    with pytest.raises(error, match=word):
        service("install", *options)
    assert service("install", "--fps", "many").exit_code == 2
    assert not service.unit.exists()
    assert service.told() == ["--version", "--version"]


def test_an_installation_that_fails_leaves_things_as_they_were(service):
    (service.folder / "no_bus").touch()
    with pytest.raises(DeviceError, match="daemon-reload failed"):
        service("install", "--env", "neon")
    assert not service.unit.exists()
    (service.folder / "no_bus").unlink()
    service("install", "--env", "neon")
    before = service.unit.read_text()
    (service.folder / "no_bus").touch()
    with pytest.raises(DeviceError, match="daemon-reload failed"):
        service("install", "--env", "rim")
    assert service.unit.read_text() == before


def test_it_is_removed_also_where_systemd_does_not_answer(service):
    service("install")
    link = service.unit.parent / "default.target.wants" / service.unit.name
    link.parent.mkdir()
    link.symlink_to(service.unit)
    (service.folder / "no_bus").touch()
    with pytest.raises(DeviceError, match=r"is removed.* disable --now livelight.service failed"):
        service("remove")
    assert not service.unit.exists()
    assert not link.is_symlink()


def test_a_session_without_systemd_is_said(service):
    (service.folder / "broken").touch()
    with pytest.raises(DeviceError, match="no bus"):
        service("install")
    assert not service.unit.exists()


def test_other_systems_are_told_where_to_put_it(service, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingSystemPackage, match="systemctl"):
        service("install")
    for platform, word in (("darwin", "Login Items"), ("win32", "shell:startup")):
        monkeypatch.setattr("sys.platform", platform)
        with pytest.raises(SettingsError, match=word):
            service("status")


def test_words_are_quoted_for_systemd():
    assert quoted('a "b" %h $X \\') == '"a \\"b\\" %%h $$X \\\\"'
    with pytest.raises(SettingsError, match="line break"):
        quoted("a\nb")


def test_systemd_takes_the_unit(tmp_path):
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "livelight.service"
    unit.write_text(unit_text(["/bin/echo", "run", "--camera", 'My "best" 100 % cam']))
    done = subprocess.run([analyse, "--user", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "livelight.service:" not in done.stderr, done.stderr
