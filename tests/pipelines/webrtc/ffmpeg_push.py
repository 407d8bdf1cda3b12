"""Pushes a moving picture and silence by FFmpeg's whip muxer until stdin ends: ``python -m ...ffmpeg_push URL``.

A process of its own: PyAV keeps Python's lock while the muxer negotiates, and the server would never answer.
"""

import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from livelight.sources.synthetic import SyntheticSource

RATE = 15


def opened(url, folder):
    """FFmpeg with GnuTLS (PyAV's) makes itself a P-224 key, which OpenSSL refuses: it gets a P-256 one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ffmpeg")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    plain = (serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    options = {"cert_file": str(folder / "cert.pem"), "key_file": str(folder / "key.pem")}
    return av.open(url, "w", format="whip", options=options | {"handshake_timeout": "60000"})


def push(url, stop):
    """H.264 and Opus by FFmpeg alone: its SDP, its ICE, its DTLS, its RTP."""
    with tempfile.TemporaryDirectory() as folder, opened(url, Path(folder)) as output:
        video = output.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt, video.profile = 320, 240, "yuv420p", "Baseline"
        video.options = {"tune": "zerolatency", "preset": "ultrafast", "g": str(RATE)}
        sound = output.add_stream("libopus", rate=48000)
        sound.layout = "stereo"
        source, start_s, index = SyntheticSource(320, 240), time.monotonic(), 0
        while not stop.is_set():
            time.sleep(max(0.0, start_s + index / RATE - time.monotonic()))
            frame = av.VideoFrame.from_ndarray(source.image(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            output.mux(video.encode(frame))
            piece = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 48000 // RATE), np.int16), "s16", "stereo")
            piece.sample_rate, piece.pts, piece.time_base = 48000, index * 48000 // RATE, Fraction(1, 48000)
            output.mux(sound.encode(piece))
            index += 1


if __name__ == "__main__":
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    push(sys.argv[1], ended)
