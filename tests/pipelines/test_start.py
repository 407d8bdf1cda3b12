"""Ctrl-C at any moment of the start: no traceback, exit status 130."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.{handler})  # a test run in the background of a shell ignores it


class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, Interrupt())
sys.argv = ["livelight", "envs"]
from {script} import {function}
{function}()
"""


def console_script() -> tuple[str, str]:
    module, function = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["livelight"].split(
        ":"
    )
    return module, function


def started(module: str, handler: str) -> subprocess.CompletedProcess[str]:
    """``livelight envs``, interrupted when it imports ``module``."""
    script, function = console_script()
    code = INTERRUPTED.format(module=module, handler=handler, script=script, function=function)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize("module", ["typer", "pydantic", "pipelines.engine", "pipelines.envs", "numpy"])
def test_ctrl_c_while_it_imports(module):
    done = started(module, "default_int_handler")
    assert done.returncode == 128 + signal.SIGINT
    assert "Traceback" not in done.stderr


def test_a_signal_that_is_ignored_stays_ignored():
    done = started("typer", "SIG_IGN")
    assert done.returncode == 0
    assert "softbox-left" in done.stdout


def test_it_is_a_module_too():
    done = subprocess.run([sys.executable, "-m", "pipelines", "envs"], capture_output=True, text=True, cwd=ROOT)
    assert "softbox-left" in done.stdout
