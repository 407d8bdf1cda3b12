"""Named presets of settings."""

import threading

import pytest

from livelight.config import LightSettings, RelightSettings
from livelight.config_folder import config_folder, write_setting_file
from livelight.errors import OutputError, SettingsError
from livelight.preset_store import PresetStore


@pytest.fixture
def store(tmp_path):
    return PresetStore(tmp_path / "presets")


def test_what_is_saved_comes_back(store):
    look = RelightSettings(env="neon", rotate="0..360", exposure="keep", background="#203040", threads=2)
    store.save("Evening call", look)
    values = store.load("Evening call")
    assert LightSettings(**values) == LightSettings(**look.model_dump(include=set(LightSettings.model_fields)))
    assert "threads" not in values
    assert store.names() == ["Evening call"]


def test_a_part_of_the_settings_stays_a_part(store):
    assert store.save("warm", {"env": "candle", "intensity": 0.5}) == {"env": "candle", "intensity": 0.5}
    assert store.load("warm") == {"env": "candle", "intensity": 0.5}


def test_saving_again_replaces_and_names_know_no_case(store):
    store.save("Warm", {"env": "candle"})
    store.save("warm", {"env": "neon"})
    assert store.names() == ["Warm"]
    assert store.load("WARM") == {"env": "neon"}
    store.remove("wArm")
    assert store.names() == []


@pytest.mark.parametrize(
    "name", ["", " ", ".hidden", "../out", "a/b", "a\\b", "con", "nul.x", "x" * 65, "a\nb", "end."]
)
def test_a_name_that_is_no_file_name_everywhere_is_refused(store, name):
    with pytest.raises(SettingsError, match="no name for a preset"):
        store.save(name, {"env": "neon"})
    assert not store.folder.exists()


@pytest.mark.parametrize("values", [{"intensity": 2}, {"nonsense": 1}, {"threads": 2}, {"exposure": "bright"}])
def test_settings_that_do_not_fit_are_refused_and_the_old_ones_stay(store, values):
    store.save("warm", {"env": "candle"})
    with pytest.raises(SettingsError):
        store.save("warm", values)
    assert store.load("warm") == {"env": "candle"}


def test_an_unknown_preset_is_named_with_near_ones(store):
    with pytest.raises(SettingsError, match="none is saved yet"):
        store.load("warm")
    store.save("warm evening", {"env": "candle"})
    for act in (store.load, store.remove):
        with pytest.raises(SettingsError, match="there is warm evening"):
            act("warm evenin")


@pytest.mark.parametrize("content", [b"env = ", b"\xff\xfe", b'env = "neon"\nintensity = 7\n', b"[env]\nx = 1\n"])
def test_a_damaged_file_is_an_error_that_names_it(store, content):
    store.folder.mkdir()
    (store.folder / "bad.toml").write_bytes(content)
    assert store.names() == ["bad"]
    with pytest.raises(SettingsError, match=r"bad\.toml cannot be used"):
        store.load("bad")
    store.save("bad", {"env": "neon"})
    assert store.load("bad") == {"env": "neon"}


def test_a_reader_never_sees_half_a_preset(store):
    store.save("look", {"env": "neon", "intensity": 0.0})
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            try:
                seen.append(store.load("look")["env"])
            except SettingsError as exc:
                seen.append(str(exc))

    reader = threading.Thread(target=read)
    reader.start()
    for index in range(30):
        store.save("look", {"env": "neon", "intensity": index / 30, "background": "#" + "aa" * 3})
    stop.set()
    reader.join()
    assert set(seen) == {"neon"}
    assert list(store.folder.iterdir()) == [store.folder / "look.toml"]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="LIVELIGHT_CONFIG"):
        PresetStore(tmp_path / "file" / "presets").save("warm", {"env": "neon"})
    (tmp_path / "taken.toml").mkdir()
    with pytest.raises(OutputError):
        write_setting_file(tmp_path / "taken.toml", b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "taken.toml"]


def test_the_folder_follows_the_system(monkeypatch, tmp_path):
    monkeypatch.delenv("LIVELIGHT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert config_folder() == tmp_path / "livelight"
    monkeypatch.setattr("sys.platform", "darwin")
    assert config_folder().parts[-3:] == ("Library", "Application Support", "livelight")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("APPDATA", str(tmp_path / "roaming"))
    assert config_folder() == tmp_path / "roaming" / "livelight"
    monkeypatch.setenv("LIVELIGHT_CONFIG", str(tmp_path / "mine"))
    assert PresetStore().folder == tmp_path / "mine" / "presets"
