"""DTLS with peers whose certificate is an RSA one (FFmpeg with GnuTLS, GStreamer 1.22).

aiortc 1.16 offers cipher suites for ECDSA certificates only, and the handshake with such a peer fails. ``install`` adds
the same suites with RSA: forward secret, authenticated by the fingerprint in the SDP as ever.
"""

from __future__ import annotations

from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)
_own_context = RTCCertificate._create_ssl_context


def _context(self: RTCCertificate, srtp_profiles: Any) -> Any:
    context = _own_context(self, srtp_profiles)
    context.set_cipher_list(_CIPHERS)
    return context


def install() -> None:
    """From now on every connection of this process knows these suites. May be called twice."""
    RTCCertificate._create_ssl_context = _context  # type: ignore[method-assign]
