"""``livelightrelight``: a GStreamer element that relights the person in a video, in place.

Raw RGB in and out; times, metadata and buffers pass through BaseTransform untouched. A frame is relit on the streaming
thread, so that GStreamer's own queues, clocks and quality of service hold as for any filter.
"""

from __future__ import annotations

import time
import traceback
from fractions import Fraction
from typing import Any

import gi
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
from gi.repository import GObject, Gst, GstBase  # noqa: E402

from livelight.config import RelightSettings  # noqa: E402
from livelight.control import LIVE_FIELDS, Control, LiveLighting  # noqa: E402
from livelight.errors import LiveLightError, SettingsError  # noqa: E402
from livelight.frame import Frame  # noqa: E402
from livelight.gstreamer_library import row_bytes  # noqa: E402
from livelight.preset_store import PresetStore  # noqa: E402
from livelight.session import OpenRelighter, starts_anew  # noqa: E402
from pipelines.engine import open_relighter  # noqa: E402
from pipelines.gstreamer.properties import FIELDS, PRESET, gproperties  # noqa: E402

Gst.init(None)
_CAPS = Gst.Caps.from_string("video/x-raw,format=RGB,width=[16,16384],height=[16,16384],framerate=[0/1,1000/1]")
_RATE_UNKNOWN = Fraction(30)
_NANOSECOND = Fraction(1, 1_000_000_000)


def _pad(name: str, direction: Gst.PadDirection) -> Gst.PadTemplate:
    return Gst.PadTemplate.new(name, direction, Gst.PadPresence.ALWAYS, _CAPS)


class LivelightRelight(GstBase.BaseTransform):  # type: ignore[misc]
    """Properties: see pipelines.gstreamer.properties. A value that cannot be used before the start is an element error
    at the start; one that comes while it runs is an element warning, and the old one stays.
    """

    __gtype_name__ = "LivelightRelight"
    __gstmetadata__ = (
        "LiveLight relighter",
        "Filter/Effect/Video",
        "Relights the person in a video as if they sat in another environment",
        "The LiveLight authors",
    )
    __gsttemplates__ = (_pad("sink", Gst.PadDirection.SINK), _pad("src", Gst.PadDirection.SRC))
    __gproperties__ = gproperties()

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, Any] = {}
        self._preset = ""
        self._fault: LiveLightError | None = None
        self._control: Control | None = None
        self._lighting: LiveLighting | None = None
        self._relighter: OpenRelighter | None = None
        self._size = (0, 0)
        self._rate = _RATE_UNKNOWN
        self._start_s = 0.0
        self._previous: Frame | None = None
        self._state: Any = None
        answered = Gst.PadProbeType.QUERY_UPSTREAM | Gst.PadProbeType.PULL
        self.get_static_pad("src").add_probe(answered, self._add_latency)
        self.set_in_place(True)
        self.set_qos_enabled(True)

    # Properties: any thread.

    def do_get_property(self, spec: GObject.ParamSpec) -> Any:
        if spec.name == PRESET:
            return self._preset
        field = FIELDS[spec.name]
        shown = self._control.settings if self._control else RelightSettings.model_construct(**self._values)
        value = getattr(shown, field)
        return str(value) if spec.value_type == GObject.TYPE_STRING else value

    def do_set_property(self, spec: GObject.ParamSpec, value: Any) -> None:
        try:
            if spec.name != PRESET:
                self._change({FIELDS[spec.name]: value})
            elif value:
                self._change(PresetStore().load(value))
                self._preset = value
        except LiveLightError as exc:
            if self._control is not None:
                self._warn(str(exc))
            else:  # no pipeline hears it yet
                self._fault = self._fault or exc

    def _change(self, fields: dict[str, Any]) -> None:
        if self._control is not None:
            self._control.change(**fields)
            fields = {name: value for name, value in fields.items() if name in LIVE_FIELDS}
        self._values |= fields

    # States and formats: the thread that changes the state.

    def do_start(self) -> bool:
        try:
            self._open()
        except LiveLightError as exc:
            self._fail(str(exc))
            self.do_stop()
            return False
        return True

    def _open(self) -> None:
        if self._fault is not None:
            raise self._fault
        try:
            settings = RelightSettings(**self._values)
        except ValidationError as exc:
            fault = exc.errors()[0]
            raise SettingsError(f"{fault['loc'][0]}: {fault['msg']}, got {fault['input']!r}.") from exc
        control = Control(settings)
        control.change()  # checks what the schema alone cannot
        self._lighting = LiveLighting(control, self._warn)
        self._relighter = open_relighter(settings, self._warn)
        self._control, self._previous, self._state = control, None, None

    def do_stop(self) -> bool:
        self._control = None
        if self._lighting is not None:
            self._lighting.close()
        if self._relighter is not None:
            self._relighter.close()
        self._lighting = self._relighter = self._previous = self._state = None
        return True

    def do_set_caps(self, incoming: Gst.Caps, outgoing: Gst.Caps) -> bool:
        form = incoming.get_structure(0)
        known, numerator, denominator = form.get_fraction("framerate")
        self._rate = Fraction(numerator, denominator) if known and numerator else _RATE_UNKNOWN
        self._size = (form.get_value("height"), form.get_value("width"))
        return True

    def _add_latency(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        """One frame more latency: in that time it is relit, or the machine is too slow for this rate anyway."""
        query = info.get_query()
        if query.type == Gst.QueryType.LATENCY:
            live, least, most = query.parse_latency()
            own = round(1 / self._rate / _NANOSECOND)
            query.set_latency(live, least + own, most if most == Gst.CLOCK_TIME_NONE else most + own)
        return Gst.PadProbeReturn.OK

    # Pictures: the streaming thread.

    def do_transform_ip(self, buffer: Gst.Buffer) -> Gst.FlowReturn:
        try:
            self._relight(buffer)
        except LiveLightError as exc:
            self._fail(str(exc))
        except BaseException as exc:  # PyGObject would print it and go on as if all were well
            self._fail(f"The relighter failed unexpectedly ({exc!r}); please report this.", traceback.format_exc())
        else:
            return Gst.FlowReturn.OK
        return Gst.FlowReturn.ERROR

    def _relight(self, buffer: Gst.Buffer) -> None:
        lighting, relighter = self._lighting, self._relighter
        assert lighting is not None
        assert relighter is not None
        with buffer.map(Gst.MapFlags.READ | Gst.MapFlags.WRITE) as mapped:
            picture = self._picture(mapped.data)
            frame = Frame(picture.copy(), self._pts(buffer), _NANOSECOND, time.monotonic())
            if self._previous is None:
                self._start_s = frame.time_s
            elif starts_anew(self._previous, frame):
                self._state = None
            light = lighting.at(max(frame.time_s - self._start_s, 0.0), frame.width, frame.height)
            relit, self._state = relighter.step(frame, light, self._state)
            picture[:] = relit.image
        self._previous = relit

    def _picture(self, data: memoryview) -> NDArray[np.uint8]:
        """The buffer's own pixels, uint8 (h, w, 3); GStreamer's rows of RGB begin at multiples of 4 bytes."""
        height, width = self._size
        rows = np.frombuffer(data, np.uint8)[: height * row_bytes(width)].reshape(height, -1)
        return rows[:, : 3 * width].reshape(height, width, 3)

    def _pts(self, buffer: Gst.Buffer) -> int:
        """Nanoseconds; a stream without times counts frames."""
        if buffer.pts != Gst.CLOCK_TIME_NONE:
            return int(buffer.pts)
        return 0 if self._previous is None else self._previous.pts + round(1 / self._rate / _NANOSECOND)

    # Messages on the pipeline's bus.

    def _fail(self, sentence: str, detail: str = "") -> None:
        domain, code = Gst.LibraryError.quark(), Gst.LibraryError.FAILED
        self.message_full(Gst.MessageType.ERROR, domain, code, f"livelight: {sentence}", detail, "element.py", "", 0)

    def _warn(self, sentence: str) -> None:
        domain, code = Gst.LibraryError.quark(), Gst.LibraryError.SETTINGS
        self.message_full(Gst.MessageType.WARNING, domain, code, f"livelight: {sentence}", "", "element.py", "", 0)


GObject.type_register(LivelightRelight)
