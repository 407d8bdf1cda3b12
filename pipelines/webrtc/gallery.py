"""Gallery: the environments and backgrounds that requests may name, by id. No request ever names a file."""

from __future__ import annotations

import itertools
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from livelight.backdrop import Backdrop, open_backdrop
from livelight.config import RelightSettings
from livelight.errors import LightError, SettingsError
from livelight.light_source import LightSource, open_light
from livelight.paint import parsed_color
from livelight.rig import rig_names

Shelf = Literal["envs", "backgrounds"]

MAX_UPLOADS = 32
"""Uploads kept on each shelf; one more is refused until another is deleted."""

_WORDS = ("keep", "blur", "env")


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One environment or background. file: ours, under a name of ours; None for a preset."""

    id: str
    title: str
    kind: Literal["preset", "upload", "own"]
    file: Path | None = None

    def public(self) -> dict[str, str]:
        """What a client is told."""
        return {"id": self.id, "title": self.title, "kind": self.kind}


class Gallery:
    """Presets and uploads. Any thread. own: what the operator named on the command line, a file or a preset."""

    def __init__(self, own: RelightSettings) -> None:
        self._lock = threading.Lock()
        self._shelves: dict[Shelf, dict[str, Exhibit]] = {
            "envs": {name: Exhibit(name, name.replace("-", " "), "preset") for name in rig_names()},
            "backgrounds": {},
        }
        self._reserved: dict[Shelf, int] = {"envs": 0, "backgrounds": 0}
        self._numbers = itertools.count(1)
        if own.env not in self._shelves["envs"]:
            self._shelves["envs"]["own"] = Exhibit("own", Path(own.env).stem, "own", Path(own.env))
        if not _is_plain(own.background):
            self._shelves["backgrounds"]["own"] = Exhibit("own", Path(own.background).stem, "own", Path(own.background))
        ids = {
            "env": own.env if own.env in rig_names() else "own",
            "background": own.background if _is_plain(own.background) else "own",
        }
        self.start = RelightSettings.model_validate({k: getattr(own, k) for k in RelightSettings.model_fields} | ids)
        """The settings that a session begins with, in ids."""

    def listed(self, shelf: Shelf) -> list[Exhibit]:
        """All on a shelf, presets first, in the order they came."""
        with self._lock:
            return list(self._shelves[shelf].values())

    def find(self, shelf: Shelf, id_: str) -> Exhibit | None:
        """The exhibit with this id."""
        with self._lock:
            return self._shelves[shelf].get(id_)

    def reserve(self, shelf: Shelf) -> bool:
        """Keep a place for an upload that is being decoded; False when the shelf is full. ``release`` or ``add``."""
        with self._lock:
            uploads = sum(item.kind == "upload" for item in self._shelves[shelf].values())
            if uploads + self._reserved[shelf] >= MAX_UPLOADS:
                return False
            self._reserved[shelf] += 1
            return True

    def release(self, shelf: Shelf) -> None:
        """Give a reserved place back."""
        with self._lock:
            self._reserved[shelf] -= 1

    def add(self, shelf: Shelf, title: str, file: Path) -> Exhibit:
        """Show a decoded upload in the place reserved for it."""
        with self._lock:
            self._reserved[shelf] -= 1
            item = Exhibit(f"upload-{next(self._numbers)}-{secrets.token_hex(4)}", title, "upload", file)
            self._shelves[shelf][item.id] = item
            return item

    def adopt(self, shelf: Shelf, title: str, file: Path) -> Exhibit:
        """Show a file that the server's owner named; the same exhibit for the same file."""
        file = file.resolve()
        with self._lock:
            for item in self._shelves[shelf].values():
                if item.file is not None and item.file.resolve() == file:
                    return item
            item = Exhibit(f"own-{next(self._numbers)}", title, "own", file)
            self._shelves[shelf][item.id] = item
            return item

    def forget(self, file: Path) -> None:
        """Take back what was adopted. Sessions that show it go on showing it."""
        with self._lock:
            for shelf in self._shelves.values():
                for item in [item for item in shelf.values() if item.file == file.resolve() and item.kind == "own"]:
                    del shelf[item.id]

    def is_word(self, shelf: Shelf, value: str) -> bool:
        """Whether a setting names no file: a preset's light, a way to treat the background, a colour."""
        return _is_plain(value) if shelf == "backgrounds" else value in rig_names()

    def remove(self, shelf: Shelf, id_: str) -> bool:
        """Take an upload away; False if there is none of this id. Sessions that show it go on showing it."""
        with self._lock:
            item = self._shelves[shelf].get(id_)
            if item is None or item.kind != "upload":
                return False
            del self._shelves[shelf][id_]
        assert item.file is not None
        item.file.unlink(missing_ok=True)
        return True

    def check(self, change: dict[str, object]) -> None:
        """Raise SettingsError if a change names what is on no shelf."""
        env = change.get("env")
        if env is not None and (not isinstance(env, str) or self.find("envs", env) is None):
            raise SettingsError("env: expected the id of one of the environments of /api/envs")
        background = change.get("background")
        if background is None:
            return
        if not isinstance(background, str) or not (_is_plain(background) or self.find("backgrounds", background)):
            raise SettingsError("background: expected keep, blur, env, a colour or an id of /api/backgrounds")

    def open_light(self, id_: str, fov_deg: float) -> LightSource:
        """As livelight.light_source.open_light, by id."""
        item = self.find("envs", id_)
        if item is None:
            raise LightError("the environment is not there any more")
        try:
            return open_light(item.id if item.file is None else str(item.file), fov_deg)
        except LightError as exc:
            raise LightError(self.without_paths(str(exc))) from exc

    def open_background(self, settings: RelightSettings, source: LightSource) -> Backdrop:
        """As livelight.backdrop.open_backdrop, by id."""
        if _is_plain(settings.background):
            return open_backdrop(settings, source)
        item = self.find("backgrounds", settings.background)
        if item is None or item.file is None:
            raise LightError("the background is not there any more")
        try:
            return open_backdrop(settings.model_copy(update={"background": str(item.file)}), source)
        except LightError as exc:
            raise LightError(self.without_paths(str(exc))) from exc

    def without_paths(self, sentence: str) -> str:
        """The sentence with titles in place of the exhibits' files: where those lie is the server's own affair."""
        with self._lock:
            items = [item for shelf in self._shelves.values() for item in shelf.values() if item.file is not None]
        for item in sorted(items, key=lambda item: len(str(item.file)), reverse=True):  # a/b.mp4 before b.mp4
            sentence = sentence.replace(str(item.file), item.title)
        return sentence


def _is_plain(background: str) -> bool:
    """Whether it is a word or a colour, and no file."""
    return background in _WORDS or parsed_color(background) is not None
