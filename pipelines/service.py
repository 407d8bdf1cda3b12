"""``livelight service``: the virtual camera from log-in on, as a systemd unit of the user (Linux)."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from livelight.errors import DeviceError, LiveLightError, MissingSystemPackage, OutputError, SettingsError

UNIT = "livelight.service"
WANTED_BY = "default.target"
_COMMAND_S = 60.0

app = typer.Typer(
    help="Start livelight run with your session (systemd, Linux).", no_args_is_help=True, rich_markup_mode=None
)


@app.command(context_settings={"ignore_unknown_options": True})
def install(
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OPTIONS OF run]", help="Such as --camera, --env.", show_default=False),
    ] = None,
) -> None:
    """Install and start it, with these options of livelight run; again, to change them."""
    _systemctl("--version")
    _check_options(options or [])
    path = unit_path()
    text = unit_text([*program(), "run", "--quiet", "--wait", *(options or [])])
    before = path.read_bytes() if path.exists() else None
    from livelight.config_folder import write_setting_file

    write_setting_file(path, text.encode())
    try:
        _systemctl("daemon-reload")
        _systemctl("enable", UNIT)
        _systemctl("restart", UNIT)
    except BaseException:
        _take_back(path, before)
        raise
    print(f"{path} is installed and started; its words: journalctl --user -u {UNIT}")


def _take_back(path: Path, before: bytes | None) -> None:
    """Leave the unit as it was before an installation that failed; what fails here was told already."""
    with contextlib.suppress(LiveLightError, OSError):
        if before is None:
            with contextlib.suppress(LiveLightError):
                _systemctl("disable", "--now", UNIT)
            _unlink(path)
        else:
            path.write_bytes(before)
        _systemctl("daemon-reload")


def _check_options(options: list[str]) -> None:
    """Read them as livelight run does, and open their light and background. Raises click.UsageError, LiveLightError."""
    from livelight.fit import parse_size
    from livelight.light_program import build_lighting
    from pipelines.cli import app as whole
    from pipelines.options import taken_settings
    from pipelines.run_settings import RunSettings

    commands = typer.main.get_command(whole)
    assert isinstance(commands, typer.core.TyperGroup)
    context = commands.commands["run"].make_context("livelight run", list(options))
    settings = taken_settings(RunSettings, dict(context.params), configured="run")
    parse_size(settings.size)
    build_lighting(settings, None)


@app.command()
def remove() -> None:
    """Stop it and take it away."""
    path = unit_path()
    if not path.exists():
        raise SettingsError(f"The service is not installed ({path} does not exist).")
    try:
        _systemctl("disable", "--now", UNIT)
    except LiveLightError as exc:
        _unlink(path)
        raise DeviceError(f"{path} is removed and will not start again, but one that runs may run on: {exc}") from exc
    _unlink(path)
    _systemctl("daemon-reload")
    print("The service is removed.")


def _unlink(path: Path) -> None:
    """Remove the unit and the link that enables it, which ``disable`` leaves where it fails. Raises OutputError."""
    try:
        path.unlink(missing_ok=True)
        (path.parent / f"{WANTED_BY}.wants" / UNIT).unlink(missing_ok=True)
    except OSError as exc:
        raise OutputError(f"{path} cannot be removed ({exc.strerror}).") from exc


@app.command()
def status() -> None:
    """Say whether it is installed and running; exit status 3 if it does not run."""
    if not unit_path().exists():
        print("not installed")
        raise typer.Exit(3)
    state = _asked("is-active", UNIT)
    print(f"{state}, {_asked('is-enabled', UNIT)}; more: systemctl --user status {UNIT}")
    if state != "active":
        raise typer.Exit(3)


def unit_path() -> Path:
    """Where the user's units lie. Raises SettingsError where there is no systemd."""
    if not sys.platform.startswith("linux"):
        where = "System Settings, General, Login Items" if sys.platform == "darwin" else "the folder shell:startup"
        raise SettingsError(f"livelight service is for Linux with systemd; here, put livelight run into {where}.")
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "systemd" / "user" / UNIT


def program() -> list[str]:
    """The command that starts LiveLight, by its whole path: the one beside our Python."""
    beside = Path(sys.executable).with_name("livelight")
    if beside.exists():
        return [str(beside)]
    return [sys.executable, "-m", "pipelines"]


def unit_text(command: list[str]) -> str:
    """The unit that runs ``command`` in the present folder, which its file names may be relative to: again after 5 s
    if it fails, ten times in five minutes at most."""
    folder = str(Path.cwd()).replace("%", "%%")
    return f"""[Unit]
Description=LiveLight: the virtual camera, relit
After=pipewire.service
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
WorkingDirectory=-{folder}
ExecStart={" ".join(quoted(word) for word in command)}
Restart=on-failure
RestartSec=5
SuccessExitStatus=130 143
TimeoutStopSec=10

[Install]
WantedBy={WANTED_BY}
"""


def quoted(word: str) -> str:
    """A word as systemd reads it back: in quotes; % and $ doubled, for they name specifiers and variables."""
    if "\n" in word or "\r" in word:
        raise SettingsError(f"an option of the service may hold no line break; got {word!r}.")
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(plain, escaped)
    return f'"{word}"'


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        raise MissingSystemPackage("livelight service", "systemd", "systemctl is not found")
    command = [systemctl, "--user", *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_S, check=False)
    except subprocess.TimeoutExpired as exc:
        raise _failed(words, "no answer") from exc


def _systemctl(*words: str) -> None:
    """Raises DeviceError with systemd's words if it fails."""
    done = _run(*words)
    if done.returncode:
        raise _failed(words, " ".join(done.stderr.split()) or f"status {done.returncode}")


def _asked(*words: str) -> str:
    """What is-active and is-enabled say; they set a status, too."""
    return _run(*words).stdout.strip() or "unknown"


def _failed(words: tuple[str, ...], said: str) -> LiveLightError:
    return DeviceError(f"systemctl --user {' '.join(words)} failed ({said}); does this session run under systemd?")
