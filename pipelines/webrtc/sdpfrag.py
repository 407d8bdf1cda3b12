"""SDP fragments of trickle ICE (RFC 8840), as WHIP and WHEP send them in PATCH."""

from __future__ import annotations

from dataclasses import dataclass

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp

from livelight.errors import InputError

CONTENT_TYPE = "application/trickle-ice-sdpfrag"
MAX_CANDIDATES = 64


@dataclass(frozen=True, slots=True)
class Fragment:
    """ufrag, pwd: of the sender's ICE session, empty if not named. ended: no more candidates will come."""

    ufrag: str
    pwd: str
    candidates: tuple[RTCIceCandidate, ...]
    ended: bool


def parsed_fragment(text: str) -> Fragment:
    """Read a fragment. Raises InputError for one that cannot be read or has too many candidates."""
    values: dict[str, str] = {}
    candidates: list[RTCIceCandidate] = []
    mid: str | None = None
    ended = False
    sections = 0
    for line in text.splitlines():
        if line.startswith("m="):
            sections, mid = sections + 1, None
        name, _, value = line.partition(":")
        if name in ("a=ice-ufrag", "a=ice-pwd"):
            values.setdefault(name, value.strip())
        elif name == "a=mid":
            mid = value.strip()
        elif name == "a=candidate":
            candidates.append(_candidate(value, mid, max(sections - 1, 0)))
        elif line.strip() == "a=end-of-candidates":
            ended = True
    if not values and not candidates and not ended:
        raise InputError("the SDP fragment has neither ICE credentials nor candidates")
    if len(candidates) > MAX_CANDIDATES:
        raise InputError(f"the SDP fragment has more than {MAX_CANDIDATES} candidates")
    return Fragment(values.get("a=ice-ufrag", ""), values.get("a=ice-pwd", ""), tuple(candidates), ended)


def written_fragment(ufrag: str, pwd: str, kind: str, mid: str, candidates: list[RTCIceCandidate]) -> str:
    """The fragment of our side: all candidates of the one transport, under its first media section (kind: video...)."""
    profile = "UDP/DTLS/SCTP webrtc-datachannel" if kind == "application" else "UDP/TLS/RTP/SAVPF 0"
    lines = [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{pwd}", f"m={kind} 9 {profile}", f"a=mid:{mid}"]
    lines += [f"a=candidate:{candidate_to_sdp(candidate)}" for candidate in candidates]
    return "\r\n".join([*lines, "a=end-of-candidates", ""])


def _candidate(value: str, mid: str | None, index: int) -> RTCIceCandidate:
    try:
        candidate = candidate_from_sdp(value.strip())
    except (ValueError, LookupError, AssertionError) as exc:
        raise InputError("the SDP fragment has a candidate that cannot be read") from exc
    candidate.sdpMid, candidate.sdpMLineIndex = mid, index
    return candidate
