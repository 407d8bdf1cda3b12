"""What a cheap camera does to light: exposure, white balance, blur, noise, sharpening, tone curve, JPEG, H.264."""

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from training.light_stage.codec import through_h264
from training.light_stage.tone import TABLE, rolled, srgb_code

MID_GREY = 0.16
LEVELS = 0.07, 0.45
"""Mean luminances, linear, that cameras expose for."""


@dataclass(frozen=True)
class WebcamSettings:
    """One camera's habits over a clip. exposure_ev and white_balance (3,) drift by *_drift per frame; noise is the
    standard deviation at linear 1 (shot) and at black (read); blur in pixels; sharpen 0..1; jpeg quality or 0;
    h264_bits: a pixel and frame, or 0 for none."""

    exposure_ev: float = 0.0
    exposure_drift: float = 0.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    balance_drift: float = 0.0
    shot_noise: float = 0.0
    read_noise: float = 0.0
    blur_px: float = 0.0
    sharpen: float = 0.0
    jpeg_quality: int = 0
    shoulder: float = 0.0
    h264_bits: float = 0.0


def sample_webcam(rng: np.random.Generator, mean: np.ndarray, level: float | None = None) -> WebcamSettings:
    """A random camera for a scene of mean (3,); with auto-exposure (most of them) the picture's mean is pulled to
    mid-grey, or brought to `level`, and auto white balance takes out a random part of its cast."""
    mean_luminance = float(mean @ np.float32([0.2126, 0.7152, 0.0722]))
    auto = rng.random() < 0.75
    ev = float(np.clip(np.log2((level or MID_GREY) / max(mean_luminance, 1e-4)), -4, 3))
    share = rng.uniform(0.5, 1.0) if auto else 0.0
    ev *= share if level is None else 1.0
    balance = (mean_luminance / np.maximum(mean, 1e-4)) ** rng.uniform(0.0, 0.9) * np.exp(rng.normal(0, 0.04, 3))
    dark = max(0.0, ev) / 3
    return WebcamSettings(
        exposure_ev=ev + float(rng.normal(0, 0.25)),
        exposure_drift=float(rng.normal(0, 0.02)),
        white_balance=tuple(float(x) for x in balance / balance[1]),
        balance_drift=float(rng.normal(0, 0.003)),
        shot_noise=float(rng.choice([0.004, 0.012, 0.03])) * (1 + 2 * dark),
        read_noise=float(rng.uniform(0.0005, 0.003)) * (1 + 2 * dark),
        blur_px=float(rng.choice([0.0, 0.5, 0.9])),
        sharpen=float(rng.choice([0.0, 0.3, 0.7])),
        jpeg_quality=int(rng.choice([0, 55, 75, 90])),
        shoulder=float(rng.uniform(0.0, 0.5)),
        h264_bits=float(np.exp(rng.uniform(np.log(0.05), np.log(0.4)))) * (rng.random() < 0.3),
    )


def varied_webcam(rng: np.random.Generator, mean: np.ndarray) -> WebcamSettings:
    """``sample_webcam``, but half of the cameras expose for any of LEVELS, as real ones do.

    What a camera makes of a scene says little about how bright its light is.
    """
    level = float(np.exp(rng.uniform(*np.log(LEVELS)))) if rng.random() < 0.5 else None
    return sample_webcam(rng, mean, level)


@numba.njit(cache=True, fastmath=True)
def _film(table, linear, noise, shot, read, shoulder):
    """Exposed light (h, w, 3) with noise of unit strength given, a film-like shoulder above 0.6, as sRGB code."""
    out = np.empty_like(linear)
    shot2, read2, bend = np.float32(shot * shot), np.float32(read * read), np.float32(shoulder)
    for y in range(linear.shape[0]):
        for x in range(linear.shape[1]):
            for c in range(linear.shape[2]):
                light = linear[y, x, c]
                light += np.sqrt(max(light, np.float32(0)) * shot2 + read2) * noise[y, x, c]
                out[y, x, c] = srgb_code(table, rolled(light, bend))
    return out


@numba.njit(cache=True)
def _bytes(picture):
    """Code values in [0, 1], clipped, as uint8 0..255, rounded to nearest."""
    out = np.empty(picture.shape, np.uint8)
    source, to = picture.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        to[i] = np.uint8(min(max(source[i], np.float32(0)), np.float32(1)) * np.float32(255) + np.float32(0.5))
    return out


def develop(linear: np.ndarray, settings: WebcamSettings, frame: int, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) linear scene light of one frame -> uint8 sRGB picture."""
    drift = np.float32([1 + settings.balance_drift * frame, 1, 1 - settings.balance_drift * frame])
    gain = 2.0 ** (settings.exposure_ev + settings.exposure_drift * frame)
    x = linear * (np.float32(settings.white_balance) * drift * np.float32(gain))
    if settings.blur_px > 0:
        x = cv2.GaussianBlur(x, (0, 0), settings.blur_px)
    noisy = settings.shot_noise > 0 or settings.read_noise > 0
    noise = rng.standard_normal(x.shape, np.float32) if noisy else np.zeros_like(x)
    x = _film(TABLE, x, noise, settings.shot_noise, settings.read_noise, settings.shoulder)
    if settings.sharpen > 0:
        x = x + settings.sharpen * (x - cv2.GaussianBlur(x, (0, 0), 1.2))
    out = _bytes(x)
    if settings.jpeg_quality:
        _, coded = cv2.imencode(".jpg", out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality])
        out = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(out)


def compose(
    fg_linear: np.ndarray, alpha: np.ndarray, background_linear: np.ndarray, settings: WebcamSettings | None,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """(T, H, W, 3) uint8 sRGB webcam frames.

    fg_linear (T, H, W, 3) premultiplied linear radiance; alpha (T, H, W) in [0, 1]; background_linear (H, W, 3) or
    (T, H, W, 3) linear; settings None draws a random camera.
    """
    scene = fg_linear + (1 - alpha[..., None]) * np.broadcast_to(background_linear, fg_linear.shape)
    if settings is None:
        settings = sample_webcam(rng, np.minimum(scene, 2.0).mean((0, 1, 2)))
    return recorded(scene, settings, rng)


def recorded(scene: np.ndarray, settings: WebcamSettings, rng: np.random.Generator) -> np.ndarray:
    """(T, H, W, 3) linear scene light -> uint8 sRGB frames of a camera, sent through H.264 if it does that."""
    frames = np.stack([develop(frame, settings, t, rng) for t, frame in enumerate(scene)])
    return through_h264(frames, settings.h264_bits) if settings.h264_bits else frames
