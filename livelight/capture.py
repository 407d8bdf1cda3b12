"""The capture thread: keeps a camera open, holds its newest frame, and waits for a camera that is gone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from livelight.errors import DeviceError
from livelight.fit import fitted
from livelight.frame import Frame
from livelight.slot import Slot
from livelight.sources import LiveSource, Source
from livelight.stage_times import StageTimes

RETRY_S = 1.0
"""Between two tries to open a camera that is gone or held by another program."""

JOIN_S = 1.0
"""A driver that does not let the thread go in this time is left behind."""

log = logging.getLogger(__name__)


class Capture:
    """Frames of a source in ``slot``, brought to ``size`` (width, height) if one is given. Starts at once.

    A DeviceError, at opening or in mid-stream, is told to ``notice`` once, and the source is opened again every
    RETRY_S seconds; any other error, and the end of the stream, come out of the slot.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        size: tuple[int, int] | None,
        notice: Callable[[str], None],
        times: StageTimes,
    ) -> None:
        self.slot: Slot[Frame] = Slot()
        self.lost: str | None = None
        """Why there is no camera now, in one sentence; None while there is one, or not yet known."""
        self._open_source = open_source
        self._size = size
        self._notice = notice
        self._times = times
        self._source: Source | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="livelight-capture", daemon=True)
        self._thread.start()

    def close(self) -> bool:
        """Release the camera. False if the driver holds the thread for more than JOIN_S seconds."""
        self._ended.set()
        source = self._source
        if isinstance(source, LiveSource):
            source.end()
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.warning("the camera's driver did not let go within %.0f s", JOIN_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                if self._stream_ended():
                    break
                self._ended.wait(RETRY_S)
            self.slot.finish()
        except BaseException as error:  # carried to the session's thread, raised there
            self.slot.finish(error)

    def _stream_ended(self) -> bool:
        """Read until the end (True), or until the camera is lost (False)."""
        try:
            source = self._source = self._open_source()
            try:
                for frame in source:
                    if self._ended.is_set():
                        return True
                    self._back()
                    with self._times.measure("fit"):
                        ready = frame if self._size is None else fitted(frame, *self._size)
                    self.slot.put(ready)
                return True
            finally:
                self._source = None
                source.close()
        except DeviceError as exc:
            if self.lost is None:
                self._notice(f"{exc} Waiting for it.")
            self.lost = str(exc)
            return False

    def _back(self) -> None:
        if self.lost is not None:
            self.lost = None
            self._notice("The camera is back.")
