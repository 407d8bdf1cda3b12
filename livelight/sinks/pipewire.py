"""A camera in PipeWire: browsers and programs that take cameras through the portal find it; no kernel module."""

from __future__ import annotations

import os
import re
import time
from fractions import Fraction

from livelight.errors import DeviceError, MissingSystemPackage, SettingsError
from livelight.frame import Frame
from livelight.gstreamer_library import load_gst
from livelight.sinks.gstreamer import GStreamerSink
from livelight.sinks.pipewire_readers import PipeWireReaders
from livelight.standby import standby_picture

NAME = "LiveLight"
START_S = 10.0
PACKAGES = "gstreamer1.0-pipewire pipewire pipewire-bin wireplumber"


class PipeWireSink:
    """A node of class Video/Source that gives the newest frame to whoever is linked to it (WatchedSink).

    name: what programs list, of letters, digits, spaces and ``- _ .``. The node is there from the constructor on, which
    shows the standby picture, until ``close`` or the end of the process. Raises MissingSystemPackage without GStreamer
    or its plugin, DeviceError if PipeWire does not run or goes away, SettingsError for a name.
    """

    def __init__(self, name: str | None, width: int, height: int, rate: Fraction | int) -> None:
        self.name = name or NAME
        if not re.fullmatch(r"[\w .-]{1,64}", self.name):
            raise SettingsError(
                f"'{self.name}' is no name for a camera: expected letters, digits, spaces, - _ or dots."
            )
        if load_gst().ElementFactory.find("pipewiresink") is None:
            raise MissingSystemPackage("A camera in PipeWire", PACKAGES, "GStreamer has no pipewiresink")
        key = f"{os.getpid()}-{time.monotonic_ns()}"
        node = (
            "props,media.class=Video/Source,media.role=Camera,node.name=livelight,"
            f'livelight.key=(string)\\"{key}\\",node.description=(string)\\"{self.name}\\"'
        )
        description = (
            "video/x-raw,format=YUY2 ! identity drop-allocation=true ! "  # in its own buffers pipewiresink 0.3 crashes
            "pipewiresink mode=provide sync=false client-name=LiveLight "
            f'stream-properties="{node}"'
        )
        try:
            self._sink = GStreamerSink(description, width, height, rate, live=True)
        except DeviceError as exc:
            raise DeviceError(
                "PipeWire does not run here; start it with: systemctl --user start pipewire wireplumber"
            ) from exc
        self._readers = PipeWireReaders("livelight.key", key)
        try:
            picture = standby_picture(width, height, "Starting the camera")
            self.write(Frame(picture, 0, Fraction(1, 30), time.monotonic()))
            self._readers.wait_for_node(START_S)
        except BaseException:
            self.close()
            raise

    def write(self, frame: Frame) -> None:
        if self._readers.gone:
            raise DeviceError(
                "PipeWire has ended, and the camera with it; start it with: systemctl --user start pipewire wireplumber"
            )
        self._sink.write(frame)

    def watched(self) -> bool:
        """Whether a program is linked and takes pictures; True where PipeWire does not tell."""
        return self._readers.watched()

    def close(self) -> None:
        self._readers.close()
        self._sink.abort()

    def abort(self) -> None:
        self.close()
