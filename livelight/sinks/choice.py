"""What a person means by a sink: a virtual camera by device or name, a file, or nothing."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

from livelight.errors import DeviceError
from livelight.sinks import Sink
from livelight.sinks.codecs import CONTAINERS
from livelight.sinks.gstreamer import GStreamerSink
from livelight.sinks.loopback import INSTALL, LoopbackSink, list_loopbacks
from livelight.sinks.obs_camera import ObsCameraSink
from livelight.sinks.pipewire import PipeWireSink
from livelight.sinks.recording import RecordingSink
from livelight.sinks.tee import TeeSink

PREFERRED = "LiveLight"
NOTHING = "none"
OBS = "obs"
PIPEWIRE = "pipewire"
GSTREAMER = "gst"


def open_sink(wanted: str | None, width: int, height: int, rate: Fraction | int, overwrite: bool = False) -> Sink:
    """The sink that ``wanted`` means, for frames of width x height.

    None: the system's virtual camera: on Linux the v4l2loopback device called LiveLight, else the first one; elsewhere
    that of OBS. "none": nowhere. "obs" or "obs:NAME": through pyvirtualcam. "pipewire" or "pipewire:NAME": a camera in
    PipeWire. "gst:PIPELINE": a GStreamer pipeline. A path, or a name with an ending: a video file; ``overwrite``
    replaces one that is there. Else the device, number or name of a v4l2loopback camera. Raises DeviceError,
    OutputError, SettingsError, MissingExtra or MissingSystemPackage.
    """
    if wanted == NOTHING:
        return TeeSink(())
    kind, _, rest = (wanted or "").partition(":")
    if kind == PIPEWIRE:
        return PipeWireSink(rest or None, width, height, rate)
    if kind == GSTREAMER:
        return GStreamerSink(rest, width, height, rate, live=True)
    if wanted is not None and _is_file(wanted):
        return RecordingSink(Path(wanted), rate, overwrite)
    linux = sys.platform.startswith("linux")
    if wanted is not None and (wanted == OBS or wanted.startswith(f"{OBS}:")):
        return ObsCameraSink(wanted.partition(":")[2] or None, width, height, rate)
    if not linux:
        return ObsCameraSink(wanted, width, height, rate)
    return LoopbackSink(loopback_device(wanted), width, height, rate)


def _is_file(wanted: str) -> bool:
    """Whether a file is meant, if only one of a kind that cannot be written: then that is told."""
    suffix = Path(wanted).suffix.lower()
    return suffix in CONTAINERS or suffix[1:].isalpha() or ("/" in wanted and not wanted.startswith("/dev/"))


def loopback_device(wanted: str | None) -> str:
    """The path of the v4l2loopback device that ``wanted`` means. Raises DeviceError that lists what there is."""
    if wanted is not None and (wanted.startswith("/") or wanted.isdigit()):
        return wanted if wanted.startswith("/") else f"/dev/video{wanted}"
    devices = list_loopbacks()
    if not devices:
        raise DeviceError(f"There is no virtual camera; v4l2loopback makes one: {INSTALL}. Or choose --sink FILE.mp4.")
    name = (wanted or PREFERRED).lower()
    found = [device for device, label in devices if label.lower() == name]
    if found:
        return found[0]
    if wanted is None:
        return devices[0][0]
    known = ", ".join(f"{device} {label!r}" for device, label in devices)
    raise DeviceError(f"There is no virtual camera {wanted!r}; there is: {known}.")
