from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from pipelines import cli

Run = Callable[..., tuple[int, str]]
"""Words of a command line -> (exit status, stderr)."""


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The command line, run in this process."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["livelight", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), capfd.readouterr().err

    yield run
    signal.signal(signal.SIGTERM, before)
