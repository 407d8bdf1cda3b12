"""No test here reads or writes the user's own settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty folder in place of the user's configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVELIGHT_CONFIG", str(tmp_path_factory.mktemp("config")))
        yield
