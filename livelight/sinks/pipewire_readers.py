"""Does anybody look at our node? PipeWire tells it to its program pw-dump, which runs beside us."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

from livelight.errors import DeviceError


class PipeWireReaders:
    """Follows the state of the node whose property ``key`` has the value ``value``: it runs while somebody looks.

    Where pw-dump is missing or ends, ``watched`` is True: better a camera that is on in vain than one that stays dark.
    """

    def __init__(self, key: str, value: str) -> None:
        self._key, self._value = key, value
        self.gone = False
        """PipeWire, or the program that asks it, has ended."""
        self._watched = True
        self._seen = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        try:
            self._process = subprocess.Popen(
                ["pw-dump", "--monitor", "--no-colors"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        except OSError:
            self._seen.set()
            return
        self._thread = threading.Thread(target=self._follow, name="livelight-pipewire", daemon=True)
        self._thread.start()

    def watched(self) -> bool:
        return self._watched

    def wait_for_node(self, limit_s: float) -> None:
        """Until PipeWire shows the node. Raises DeviceError if it does not, but for a PipeWire that does not tell."""
        if not self._seen.wait(limit_s):
            raise DeviceError(
                f"PipeWire shows no camera after {limit_s:.0f} s; look at: systemctl --user status pipewire wireplumber"
            )

    def close(self) -> None:
        """May be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._thread.join(1.0)

    def _follow(self) -> None:
        """pw-dump prints an array of all objects, then, whenever something changes, one of what has changed."""
        assert self._process is not None
        assert self._process.stdout is not None
        lines: list[str] = []
        for line in self._process.stdout:
            lines.append(line)
            if line.startswith("]"):
                self._look_at("".join(lines))
                lines.clear()
        self.gone = self._watched = True
        self._seen.set()

    def _look_at(self, text: str) -> None:
        try:
            objects: list[dict[str, Any]] = json.loads(text)
        except json.JSONDecodeError:
            return  # pw-dump of some versions prints broken numbers; the next change comes whole
        for item in objects:
            info = item.get("info") or {}
            if (info.get("props") or {}).get(self._key) == self._value:
                self._watched = info.get("state") == "running"
                self._seen.set()
