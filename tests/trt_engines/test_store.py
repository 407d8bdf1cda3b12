"""The engine cache under faults."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from livelight.errors import OutputError, RuntimeFailure, SettingsError
from livelight.runtimes.engine_file import read_engine
from trt_engines.file_lock import locked
from trt_engines.spec import Card, EngineSpec, GraphSpec, profile_size
from trt_engines.store import Store, default_folder

SPEC = EngineSpec(GraphSpec(1280, 720), "ab" * 32, "tensorrt-rtx", "1.7.1", Card("RTX 4070", (8, 9)))
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "engines")


def test_what_is_put_is_found(store: Store) -> None:
    assert store.find(SPEC) is None
    path = store.put(SPEC, CONTENT, 1.5)
    found = store.find(SPEC)
    assert found is not None
    assert (found.engine, found.build_s) == (CONTENT, 1.5)
    assert EngineSpec.from_text(found.spec) == SPEC
    assert [p.name for p in store.folder.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "other",
    [
        replace(SPEC, weights="cd" * 32),
        replace(SPEC, flavour="tensorrt"),
        replace(SPEC, version="1.7.2"),
        replace(SPEC, card=Card("RTX 4080", (8, 9))),
        replace(SPEC, card=Card("RTX 4070", (12, 0))),
        replace(SPEC, graph=GraphSpec(1280, 721)),
        replace(SPEC, graph=GraphSpec(1280, 720, "bf16")),
        replace(SPEC, graph=GraphSpec(1280, 720, blur=True)),
        replace(SPEC, graph=GraphSpec(1280, 720, max_streams=1)),
        replace(SPEC, revision=99),
    ],
)
def test_any_difference_is_another_engine(store: Store, other: EngineSpec) -> None:
    store.put(SPEC, CONTENT, 1.0)
    assert other.key != SPEC.key
    assert store.find(other) is None


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda c: c[:-1], "cut short"),
        (lambda c: c[:60], "damaged head"),
        (lambda c: b"", "no LiveLight engine"),
        (lambda c: b"ftrt" + c, "no LiveLight engine"),
        (lambda c: c[:-9] + b"X" + c[-8:], "altered"),
        (lambda c: c + b"more", "cut short"),
    ],
)
def test_a_damaged_file_is_refused_with_a_clear_word(store: Store, damage, word: str) -> None:
    path = store.put(SPEC, CONTENT, 1.0)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RuntimeFailure, match=word) as info:
        store.find(SPEC)
    assert "\n" not in str(info.value)
    assert "livelight engine clear" in str(info.value)
    assert store.entries()[0].spec is None
    assert word in store.entries()[0].fault
    store.put(SPEC, CONTENT, 1.0)
    assert store.find(SPEC) is not None


def test_a_file_under_a_false_name_is_refused(store: Store) -> None:
    path = store.put(SPEC, CONTENT, 1.0)
    other = replace(SPEC, version="9.9")
    path.rename(store.path(other))
    with pytest.raises(RuntimeFailure, match="something else than its name says"):
        store.find(other)


def test_verified_holds_for_these_bytes_alone(store: Store) -> None:
    store.put(SPEC, CONTENT, 1.0)
    assert not store.is_verified(SPEC)
    store.set_verified(SPEC, {"psnr_db": 50.0})
    assert store.is_verified(SPEC)
    assert store.entries()[0].verified
    store.put(SPEC, CONTENT[::-1], 1.0)
    assert not store.is_verified(SPEC)


def test_a_full_disk_leaves_the_old_engine_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(SPEC, CONTENT, 1.0)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"No space left on device.*LIVELIGHT_CACHE"):
        store.put(SPEC, CONTENT[::-1], 1.0)
    found = store.find(SPEC)
    assert found is not None
    assert found.engine == CONTENT
    assert len(list(store.folder.iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    store = Store(blocked / "engines")
    with pytest.raises(OutputError, match="cannot be written"):
        store.put(SPEC, CONTENT, 1.0)
    with pytest.raises(OutputError, match="cannot be written"), store.lock(SPEC):
        pass
    assert store.entries() == []


def test_clear_removes_all_and_only_what_is_ours(store: Store) -> None:
    store.put(SPEC, CONTENT, 1.0)
    store.set_verified(SPEC, {})
    (store.folder / "notes.txt").write_text("mine")
    assert store.clear() == 1
    assert [p.name for p in store.folder.iterdir()] == ["notes.txt"]


def _add_one(path: str) -> None:
    with locked(Path(path).with_suffix(".lock")):
        value = int(Path(path).read_text())
        time.sleep(0.05)
        Path(path).write_text(str(value + 1))


def test_the_lock_excludes_other_processes(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    context = multiprocessing.get_context("fork" if sys.platform != "win32" else "spawn")
    workers = [context.Process(target=_add_one, args=(str(counter),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert counter.read_text() == "4"


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom trt_engines.file_lock import locked\n"
        "with locked(Path(sys.argv[1])):\n    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 9
    waited: list[int] = []
    with locked(path, lambda: waited.append(1)):
        pass
    assert waited == []


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVELIGHT_CACHE", str(tmp_path))
    assert default_folder() == tmp_path / "engines"


def test_a_missing_engine_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailure, match=r"gone\.engine"):
        read_engine(tmp_path / "gone.engine")


def test_profiles_by_name_and_by_size() -> None:
    assert profile_size("1080p") == (1920, 1080)
    assert profile_size("640X360") == (640, 360)
    with pytest.raises(SettingsError, match="720p"):
        profile_size("huge")
