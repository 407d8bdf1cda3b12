"""Any GStreamer pipeline as the place where frames go: a file, a network stream, a window, a device."""

from __future__ import annotations

import time
from fractions import Fraction

from livelight.errors import DeviceError, LiveLightError, OutputError
from livelight.frame import Frame
from livelight.gstreamer_library import fault_on, load_gst, parsed_pipeline, row_bytes

WAITING = 3
"""Frames that wait for the pipeline; of a live one the oldest is dropped then."""

STALLED_S = 20.0
"""A pipeline that takes no frame in this time is given up."""

END_S = {True: 0.5, False: 60.0}
"""How long live and other pipelines may take to finish."""

_POLL_S = 0.005
_IN = "livelight_in"


class GStreamerSink:
    """Frames into a pipeline in gst-launch's language, such as ``x264enc ! mp4mux ! filesink location=a.mp4`` (Sink).

    The conversion from RGB is added here. Files (live False) keep every frame and its pts; ``write`` waits then. In a
    live pipeline frames are stamped with the pipeline's clock as they come, and a slow one loses the oldest, counted in
    ``dropped``. Raises OutputError, if live DeviceError; MissingSystemPackage without GStreamer. A pipeline names its
    files itself: after ``abort`` they lie there unfinished.
    """

    def __init__(
        self, description: str, width: int, height: int, rate: Fraction | int = 30, live: bool = False
    ) -> None:
        self._gst = gst = load_gst()
        self.description = description
        self.width, self.height, self.live = width, height, live
        self.dropped = 0
        self._error: type[LiveLightError] = DeviceError if live else OutputError
        self._rate = Fraction(rate)
        self._shift: int | None = None
        self._over = False
        caps = f"video/x-raw,format=RGB,width={width},height={height},framerate={self._rate.numerator}/"
        leak = f"max-buffers={WAITING} leaky-type=downstream" if live else ""
        whole = (
            f"appsrc name={_IN} format=time is-live={live} do-timestamp={live} max-bytes=0 {leak} "
            f"caps={caps}{self._rate.denominator} ! videoconvert ! {description}"
        )
        self._pipeline = parsed_pipeline(gst, whole, self._error)
        self._in = self._pipeline.get_by_name(_IN)
        if self._pipeline.set_state(gst.State.PLAYING) == gst.StateChangeReturn.FAILURE:
            fault = fault_on(gst, self._pipeline.get_bus(), 1.0)
            self.abort()
            raise self._broken(fault or "it does not start")

    def write(self, frame: Frame) -> None:
        """The pixels are copied."""
        if (frame.width, frame.height) != (self.width, self.height):
            raise self._error(
                f"The GStreamer pipeline was opened for {self.width}x{self.height}, got a frame of "
                f"{frame.width}x{frame.height}."
            )
        self._wait_for_room()
        if self._in.push_buffer(self._buffer(frame)) != self._gst.FlowReturn.OK:
            raise self._broken(fault_on(self._gst, self._pipeline.get_bus(), 1.0) or "it takes no more frames")

    def _wait_for_room(self) -> None:
        """Return when the pipeline has room; a live one makes room itself. Raises what it complains of."""
        until_s = time.monotonic() + STALLED_S
        while True:
            fault = fault_on(self._gst, self._pipeline.get_bus())
            if fault is not None:
                raise self._broken(fault)
            if self._in.get_property("current-level-bytes") < WAITING * row_bytes(self.width) * self.height:
                return
            if self.live:
                self.dropped += 1
                return
            if time.monotonic() > until_s:
                raise self._broken(f"it has taken no frame for {STALLED_S:.0f} s")
            time.sleep(_POLL_S)

    def _buffer(self, frame: Frame) -> object:
        row, gst = row_bytes(self.width), self._gst
        if row == 3 * self.width:
            content = frame.image.tobytes()
        else:
            padding = bytes(row - 3 * self.width)
            content = b"".join(line.tobytes() + padding for line in frame.image)
        buffer = gst.Buffer.new_wrapped(content)
        if not self.live:
            pts = round(frame.pts * frame.time_base * gst.SECOND)
            self._shift = max(-pts, 0) if self._shift is None else self._shift  # GStreamer knows no time before 0
            buffer.pts = pts + self._shift
        buffer.duration = round(gst.SECOND / self._rate)
        return buffer

    def _broken(self, fault: str) -> LiveLightError:
        return self._error(f"The GStreamer pipeline '{self.description}' broke ({fault}).")

    def close(self) -> None:
        """Let the pipeline finish what it has. Raises OutputError or DeviceError if it does not."""
        if self._over:
            return
        gst = self._gst
        self._in.end_of_stream()
        kinds = gst.MessageType.ERROR | gst.MessageType.EOS
        limit_s = END_S[self.live]
        message = self._pipeline.get_bus().timed_pop_filtered(round(limit_s * gst.SECOND), kinds)
        self.abort()
        if message is None and not self.live:
            raise self._broken(f"it did not finish within {limit_s:.0f} s")
        if message is not None and message.type == gst.MessageType.ERROR:
            raise self._broken(message.parse_error()[0].message)

    def abort(self) -> None:
        if not self._over:
            self._over = True
            self._pipeline.set_state(self._gst.State.NULL)
