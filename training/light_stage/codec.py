"""What a video call's H.264 does to pictures: encoded at a low bit rate and decoded again."""

from fractions import Fraction

import numpy as np

FPS = 30
WARM_UP = 3  # the first picture is sent so often before the clip, or it alone would look like a start of call


def through_h264(frames: np.ndarray, bits_per_pixel: float) -> np.ndarray:
    """(T, H, W, 3) uint8 sRGB frames after libx264 and back, same shape; the same bytes for the same input.

    bits_per_pixel: of each frame, 0.05 (smeared) to 0.5 (hardly seen). The buffer holds one second of it.
    """
    import av

    count, height, width = frames.shape[:3]
    padded = np.pad(frames, ((WARM_UP, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    kbps = max(8, round(bits_per_pixel * padded.shape[1] * padded.shape[2] * FPS / 1000))
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = padded.shape[2], padded.shape[1], "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS, 1)
    encoder.bit_rate, encoder.thread_count = kbps * 1000, 1
    rate = f"vbv-maxrate={kbps}:vbv-bufsize={kbps}:keyint=250:log-level=none"
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": rate}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    out = []
    for i, picture in enumerate([*padded, None]):
        frame = None if picture is None else av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        if frame is not None:
            frame.pts = i
        for packet in encoder.encode(frame):
            out += decoder.decode(packet)
    out += decoder.decode(None)
    shown = np.stack([frame.to_ndarray(format="rgb24") for frame in out[WARM_UP:]])
    if len(shown) != count:
        raise RuntimeError(f"expected {count} frames back from H.264, got {len(shown)}; is PyAV 17.1 or newer?")
    return shown[:, :height, :width]
