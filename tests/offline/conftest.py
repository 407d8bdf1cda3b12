import pytest

from tests.offline.tiny_weights import write_all


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A folder of tiny weights in the published layout; not to be written into."""
    return write_all(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
