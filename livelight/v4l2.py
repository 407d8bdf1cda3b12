"""Video4Linux as far as LiveLight asks it itself: what a device is and can, its format, its events. Linux only.

Structures and numbers are those of linux/videodev2.h on 64-bit machines.
"""

from __future__ import annotations

import ctypes
from ctypes import Structure, Union, c_char, c_int32, c_int64, c_uint8, c_uint32
from typing import Any

VIDEO_CAPTURE = 1
VIDEO_OUTPUT = 2
"""Types of buffer; as capabilities the same numbers."""
CAP_DEVICE_CAPS = 0x80000000

EVENT_SEND_INITIAL = 1
CONTROL_NAME_BYTES = 32


class Capability(Structure):
    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class PixFormat(Structure):
    _fields_ = tuple(
        (name, c_uint32)
        for name in (
            "width",
            "height",
            "pixelformat",
            "field",
            "bytesperline",
            "sizeimage",
            "colorspace",
            "priv",
            "flags",
            "ycbcr_enc",
            "quantization",
            "xfer_func",
        )
    )


class _FormatUnion(Union):
    _fields_ = (("pix", PixFormat), ("raw", c_uint8 * 200), ("align", c_int64))


class Format(Structure):
    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class FormatDescription(Structure):
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FrameSize(Structure):
    """``numbers`` holds width, height (type 1), or min, max, step of both."""

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("numbers", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class FrameInterval(Structure):
    """``numbers`` holds numerator, denominator (type 1), or min, max, step of both."""

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("numbers", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class StreamParameters(Structure):
    """``numbers`` begins with capability, mode, and the frame interval's numerator and denominator."""

    _fields_ = (("type", c_uint32), ("numbers", c_uint32 * 50))


class QueryControl(Structure):
    _fields_ = (
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_char * CONTROL_NAME_BYTES),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("step", c_int32),
        ("default_value", c_int32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    )


class Control(Structure):
    _fields_ = (("id", c_uint32), ("value", c_int32))


class RequestBuffers(Structure):
    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint32),
    )


class Buffer(Structure):
    """``offset`` is where mmap finds it."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("timestamp", c_int64 * 2),
        ("timecode", c_uint32 * 4),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("offset", c_int64),
        ("length", c_uint32),
        ("reserved", c_uint32 * 2),
    )


class EventSubscription(Structure):
    _fields_ = (("type", c_uint32), ("id", c_uint32), ("flags", c_uint32), ("reserved", c_uint32 * 5))


class Event(Structure):
    _fields_ = (
        ("type", c_uint32),
        ("data", c_int64 * 8),
        ("pending", c_uint32),
        ("sequence", c_uint32),
        ("timestamp", c_int64 * 2),
        ("id", c_uint32),
        ("reserved", c_uint32 * 8),
    )


_READ, _WRITE = 2, 1


def _code(direction: int, number: int, kind: Any) -> int:
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord("V") << 8 | number


QUERYCAP = _code(_READ, 0, Capability)
ENUM_FMT = _code(_READ | _WRITE, 2, FormatDescription)
G_FMT = _code(_READ | _WRITE, 4, Format)
S_FMT = _code(_READ | _WRITE, 5, Format)
REQBUFS = _code(_READ | _WRITE, 8, RequestBuffers)
QUERYBUF = _code(_READ | _WRITE, 9, Buffer)
STREAMON = _code(_WRITE, 18, c_int32)
G_PARM = _code(_READ | _WRITE, 21, StreamParameters)
S_PARM = _code(_READ | _WRITE, 22, StreamParameters)
G_CTRL = _code(_READ | _WRITE, 27, Control)
S_CTRL = _code(_READ | _WRITE, 28, Control)
QUERYCTRL = _code(_READ | _WRITE, 36, QueryControl)
ENUM_FRAMESIZES = _code(_READ | _WRITE, 74, FrameSize)
ENUM_FRAMEINTERVALS = _code(_READ | _WRITE, 75, FrameInterval)
DQEVENT = _code(_READ, 89, Event)
SUBSCRIBE_EVENT = _code(_WRITE, 90, EventSubscription)


def ask(fd: int, request: int, value: Any) -> Any:
    """One ioctl on an open device; ``value`` is filled in and returned. Raises OSError as the driver says."""
    import fcntl  # not on Windows, where this module is imported but not used

    fcntl.ioctl(fd, request, value)
    return value


def start_output(fd: int) -> None:
    """STREAMON of the writer's side. Raises OSError."""
    ask(fd, STREAMON, c_int32(VIDEO_OUTPUT))


def fourcc(code: int) -> str:
    """ "YUYV" for the number of a pixel format."""
    return code.to_bytes(4, "little").decode("latin-1").strip("\0 ")


def fourcc_code(name: str) -> int:
    """The number of a pixel format, such as "YU12"."""
    return int.from_bytes(name.encode("latin-1").ljust(4), "little")


def capabilities(fd: int) -> tuple[str, str, int]:
    """(driver, name, capabilities of this very node) of an open device."""
    found = ask(fd, QUERYCAP, Capability())
    flags = found.device_caps if found.capabilities & CAP_DEVICE_CAPS else found.capabilities
    return found.driver.decode(errors="replace"), found.card.decode(errors="replace"), int(flags)
