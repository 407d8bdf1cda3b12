"""Any GStreamer pipeline as a camera or as a clip: whatever gst-launch-1.0 can show, LiveLight can relight."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelight.errors import DeviceError, InputError, LiveLightError
from livelight.frame import Frame
from livelight.gstreamer_library import fault_on, load_gst, parsed_pipeline, row_bytes

FIRST_PICTURE_S = 15.0
"""A pipeline that shows nothing in this time is given up."""

_POLL_S = 0.1
_NANOSECOND = Fraction(1, 1_000_000_000)
_OUT = "livelight_out"


class GStreamerSource:
    """The pictures of a pipeline in gst-launch's language, such as ``v4l2src device=/dev/video2`` (Source).

    The pipeline must end in raw or decoded video; its conversion to RGB is added here. ``live`` is what the pipeline
    says of itself: a live one keeps its newest picture only and raises DeviceError when it breaks, another one loses
    none and raises InputError. Opening raises InputError, or MissingSystemPackage without GStreamer. ``end`` may be
    called from any thread. pts: nanoseconds, as the pipeline's buffers say.
    """

    def __init__(self, description: str) -> None:
        self._gst = gst = load_gst()
        self.description = description
        self.frame_count: int | None = None
        self._ended = threading.Event()
        self._last_pts: int | None = None
        self.live = False
        whole = f"{description} ! videoconvert ! video/x-raw,format=RGB ! appsink name={_OUT} sync=false max-buffers=4"
        self._pipeline = parsed_pipeline(gst, whole, InputError)
        self._out = self._pipeline.get_by_name(_OUT)
        try:
            self._start()
            self._first: Any = self._first_sample()
            self.width, self.height, self.rate = self._form(self._first)
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        """Set the pipeline going and learn whether it is live."""
        gst, until_s = self._gst, time.monotonic() + FIRST_PICTURE_S
        changed = self._pipeline.set_state(gst.State.PAUSED)
        while changed == gst.StateChangeReturn.ASYNC and time.monotonic() < until_s:
            self._check()
            changed, _, _ = self._pipeline.get_state(round(_POLL_S * gst.SECOND))
        self.live = bool(changed == gst.StateChangeReturn.NO_PREROLL)
        if self.live:  # the newest picture wins
            self._out.set_property("max-buffers", 1)
            self._out.set_property("drop", True)
        self._pipeline.set_state(gst.State.PLAYING)
        self._check()

    def _first_sample(self) -> Any:
        until_s = time.monotonic() + FIRST_PICTURE_S
        while time.monotonic() < until_s:
            sample = self._pulled()
            if sample is not None:
                return sample
            if self._out.is_eos():
                break
        raise InputError(
            f"The GStreamer pipeline '{self.description}' shows no picture; try gst-launch-1.0 ... ! autovideosink."
        )

    def _pulled(self) -> Any:
        """The next sample within _POLL_S, or None; raises what the pipeline complains of."""
        sample = self._out.try_pull_sample(round(_POLL_S * self._gst.SECOND))
        if sample is None:
            self._check()
        return sample

    def _check(self) -> None:
        fault = fault_on(self._gst, self._pipeline.get_bus())
        if fault is not None:
            raise self._error(f"The GStreamer pipeline '{self.description}' broke ({fault}).")

    @property
    def _error(self) -> type[LiveLightError]:
        return DeviceError if self.live else InputError

    @staticmethod
    def _form(sample: Any) -> tuple[int, int, Fraction]:
        form = sample.get_caps().get_structure(0)
        known, numerator, denominator = form.get_fraction("framerate")
        rate = Fraction(numerator, denominator) if known and numerator else Fraction(30)
        return form.get_value("width"), form.get_value("height"), rate

    def __iter__(self) -> Iterator[Frame]:
        """Frames until the end of the stream or ``end``; their pixels are their own."""
        sample, self._first = self._first, None
        while not self._ended.is_set():
            sample = sample or self._pulled()
            if sample is not None:
                yield self._frame(sample)
            elif self._out.is_eos():
                return
            sample = None

    def _frame(self, sample: Any) -> Frame:
        width, height, _ = self._form(sample)
        if (width, height) != (self.width, self.height):
            raise self._error(
                f"The GStreamer pipeline '{self.description}' changed its picture from {self.width}x{self.height} to "
                f"{width}x{height}; add ! videoscale ! video/x-raw,width={self.width},height={self.height}."
            )
        buffer = sample.get_buffer()
        pts = buffer.pts
        if pts == self._gst.CLOCK_TIME_NONE:
            pts = 0 if self._last_pts is None else self._last_pts + round(1 / self.rate / _NANOSECOND)
        self._last_pts = max(pts, self._last_pts or 0)
        return Frame(self._picture(buffer), self._last_pts, _NANOSECOND, time.monotonic() - self._age_s(sample))

    def _picture(self, buffer: Any) -> NDArray[np.uint8]:
        row = row_bytes(self.width)
        flat = np.frombuffer(buffer.extract_dup(0, row * self.height), np.uint8)
        rows = flat.reshape(self.height, row)[:, : 3 * self.width]
        return np.ascontiguousarray(rows).reshape(self.height, self.width, 3)

    def _age_s(self, sample: Any) -> float:
        """Seconds since the camera took the picture, by the pipeline's clock; 0 where it does not tell."""
        clock, pts = self._pipeline.get_clock(), sample.get_buffer().pts
        if not self.live or clock is None or pts == self._gst.CLOCK_TIME_NONE:
            return 0.0
        taken = sample.get_segment().to_running_time(self._gst.Format.TIME, pts)
        age_s = float(clock.get_time() - self._pipeline.get_base_time() - taken) / self._gst.SECOND
        return age_s if 0 <= age_s < FIRST_PICTURE_S else 0.0

    def end(self) -> None:
        """Let the iteration end soon; from any thread."""
        self._ended.set()

    def close(self) -> None:
        self._ended.set()
        self._pipeline.set_state(self._gst.State.NULL)
