"""Speech for talking clips: flite's voice, and the mouth that goes with it."""

import shutil
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Mouth:
    """How a mouth moves, one value a frame, each (frames,) float32 in [0, 1]: open jaw, round lips, wide lips."""

    open: np.ndarray
    round: np.ndarray
    wide: np.ndarray


def speak(text: str, path: Path, voice: str = "rms", stretch: float = 1.0) -> None:
    """Write `text` as a mono WAV file with Debian's flite; stretch above 1 speaks slower."""
    if shutil.which("flite") is None:
        raise FileNotFoundError("flite is not installed; on Debian: apt-get install flite")
    command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o", str(path)]
    subprocess.run(command, check=True)


def read_wave(path: Path) -> tuple[np.ndarray, int]:
    """(samples (n,) float32 in [-1, 1], sample rate in Hz) of a mono 16-bit WAV file."""
    with wave.open(str(path)) as file:
        raw = file.readframes(file.getnframes())
        return np.frombuffer(raw, "<i2").astype(np.float32) / 32768, file.getframerate()


def mouth(samples: np.ndarray, rate_hz: int, fps: float, frames: int) -> Mouth:
    """Mouth motion from sound: loudness opens the jaw; bright sounds (s, e, i) widen the lips, dark ones (o, u)
    round them. Smoothed over about three frames, as lips are."""
    loud, bright = np.zeros(frames), np.zeros(frames)
    hop = rate_hz / fps
    window = int(hop * 1.6)
    for t in range(frames):
        start = int((t + 0.5) * hop - window / 2)
        piece = samples[max(start, 0) : start + window]
        if len(piece) < 32:
            continue
        power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
        frequency = np.fft.rfftfreq(len(piece), 1 / rate_hz)
        loud[t] = np.sqrt((piece**2).mean())
        bright[t] = (power * frequency).sum() / max(power.sum(), 1e-9)
    loud = _smooth((loud / max(np.percentile(loud, 95), 1e-4)) ** 0.7)
    bright = _smooth(np.clip((bright - 500) / 1500, 0, 1))
    voiced = np.clip(loud * 2, 0, 1)
    to_unit = lambda x: np.clip(x, 0, 1).astype(np.float32)  # noqa: E731
    return Mouth(to_unit(loud * (1 - 0.45 * bright)), to_unit((1 - 2.2 * bright) * voiced), to_unit(bright * voiced))


def _smooth(x: np.ndarray) -> np.ndarray:
    return np.convolve(np.pad(x, 2, mode="edge"), np.float64([1, 3, 4, 3, 1]) / 12, mode="valid")
