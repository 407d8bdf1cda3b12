"""SDP of strangers: refused in a sentence before aiortc acts on it, whatever is wrong with it."""

from __future__ import annotations

import re

from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.sdp import SessionDescription

from livelight.errors import InputError
from pipelines.webrtc.sdpfrag import MAX_CANDIDATES

SDP_FAULTS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OperationError,
    InvalidStateError,
    InvalidAccessError,
)
"""What aiortc raises for an SDP that it cannot follow."""

_KINDS = ("video", "audio", "application")
_MEDIA = re.compile(r"^m=(\w+) ", re.MULTILINE)


def check_offer(offer: str) -> None:
    """Raise InputError unless it is SDP with at most one video, one audio and one data section."""
    if not offer.startswith("v=0"):
        raise InputError("expected an SDP offer that begins with v=0")
    kinds = _MEDIA.findall(offer)
    if not kinds:
        raise InputError("the SDP offer has no media section")
    for kind in _KINDS:
        if kinds.count(kind) > 1:
            raise InputError(f"the SDP offer has {kinds.count(kind)} {kind} sections; send one")
    if offer.count("a=candidate:") > MAX_CANDIDATES:
        raise InputError(f"the SDP offer has more than {MAX_CANDIDATES} candidates")
    if set(kinds) - set(_KINDS):
        raise InputError("the SDP offer has a media section that is neither video, audio nor application")
    _check_parses(offer, "offer")


def check_answer(answer: str) -> None:
    """Raise InputError unless it is SDP that can be read."""
    _check_parses(answer, "answer")


def _check_parses(text: str, what: str) -> None:
    """aiortc's parser may raise StopIteration, which a coroutine would turn into a RuntimeError: caught outside one."""
    try:
        SessionDescription.parse(text)
    except StopIteration as exc:
        raise InputError(f"the SDP {what} speaks of a payload type that it does not define") from exc
    except SDP_FAULTS as exc:
        raise InputError(f"the SDP {what} cannot be read ({exc or type(exc).__name__})") from exc
