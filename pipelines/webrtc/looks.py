"""Looks: the user's presets (``livelight preset``), as the server's clients see them: with ids in place of files."""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from pathlib import Path
from typing import Any

from livelight.config import RelightSettings
from livelight.control import LIVE_FIELDS
from livelight.errors import LightError, LiveLightError, SettingsError
from livelight.preset_store import PresetStore
from pipelines.webrtc.gallery import Gallery, Shelf

MAX_LOOKS = 64
"""Presets that clients may make; those that the user has made besides are shown, however many."""

_SHELVES: dict[str, Shelf] = {"env": "envs", "background": "backgrounds"}


class TooManyLooks(LiveLightError):
    """No place for one more."""


class Looks:
    """Any thread; may wait for the disk. A file that a preset names gets an id in the gallery.

    An uploaded picture that a look needs is copied beside the presets, under a name of ours, and goes with the last
    look that needs it.
    """

    def __init__(self, gallery: Gallery, store: PresetStore) -> None:
        self._gallery = gallery
        self._store = store
        self._kept = store.folder / "pictures"
        self._turn = threading.Lock()
        for name in store.names():
            try:
                self.load(name)  # so that the gallery shows what they name
            except LiveLightError:
                continue  # told when somebody takes it up

    def names(self) -> list[str]:
        """All of them, in the order of the alphabet."""
        return self._store.names()

    def holds(self, name: str) -> bool:
        """Whether there is one of this name. Raises SettingsError for what is no name."""
        return self._store.holds(name)

    def load(self, name: str) -> dict[str, Any]:
        """The settings of a look, in ids. Raises SettingsError if it is damaged, LightError if a file of it is gone."""
        try:
            values = self._store.load(name)
        except SettingsError as exc:
            raise SettingsError("this look cannot be used; livelight preset show tells its owner why") from exc
        for field, shelf in _SHELVES.items():
            if field in values:
                values[field] = self._id(shelf, values[field])
        return {field: value for field, value in values.items() if field in LIVE_FIELDS}

    def save(self, name: str, settings: RelightSettings) -> None:
        """Keep settings in ids under a name. Raises SettingsError, TooManyLooks, OutputError."""
        with self._turn:
            if not self.holds(name) and len(self.names()) >= MAX_LOOKS:
                raise TooManyLooks(f"there are {MAX_LOOKS} looks already; delete one first")
            values = {field: getattr(settings, field) for field in LIVE_FIELDS}
            for field, shelf in _SHELVES.items():
                values[field] = self._file(shelf, values[field])
            self._store.save(name, values)
            self._tidy()

    def remove(self, name: str) -> None:
        """Raises SettingsError if there is none of this name, OutputError."""
        with self._turn:
            self._store.remove(name)
            self._tidy()

    def _id(self, shelf: Shelf, value: str) -> str:
        """What clients call what a preset names."""
        if self._gallery.is_word(shelf, value):
            return value
        path = Path(value)
        if not path.is_file():
            raise LightError("a file of this look is gone; its owner may save the look anew")
        title = path.stem.rpartition(" ")[0] if path.parent == self._kept else path.stem
        return self._gallery.adopt(shelf, title, path).id

    def _file(self, shelf: Shelf, id_: str) -> str:
        """What the preset names: a word, or a file that stays."""
        item = self._gallery.find(shelf, id_)
        if item is None or item.file is None:
            return id_
        if item.kind != "upload":
            return str(item.file.resolve())
        content = hashlib.sha256(item.file.read_bytes()).hexdigest()[:12]
        title = " ".join(re.findall(r"\w+", item.title, re.ASCII)) or "picture"
        kept = self._kept / f"{title} {content}{item.file.suffix}"
        if not kept.exists():
            self._kept.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(item.file, kept)
        return str(kept.resolve())

    def _tidy(self) -> None:
        """Remove the kept pictures that no preset names any more; none while a preset cannot be read."""
        named = set()
        for name in self._store.names():
            try:
                values = self._store.load(name)
            except SettingsError:
                return
            named |= {values[field] for field in _SHELVES if field in values}
        for file in self._kept.glob("*"):
            if str(file.resolve()) not in named:
                self._gallery.forget(file)
                file.unlink(missing_ok=True)
