"""Training samples: rendered clips, lit and filmed on the fly, cropped; an endless stream.

A pool of open clips turns over slowly, because opening a clip costs more than lighting it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from livelight.color import linear_to_srgb
from training.light_stage.dataset import (
    Clip,
    ClipError,
    Light,
    Panoramas,
    clips_of,
    compose,
    exposed,
    load_clip,
    panoramas_of,
    sample_lights,
)
from training.light_stage.webcam import WebcamSettings, sample_webcam

F32 = NDArray[np.float32]

POOL = 24
"""Clips held open by each worker."""
USES = 12
"""Samples drawn, on average, from a clip before it is closed."""
SHOULDER = 0.35
"""Highlight roll-off of target pictures above linear 0.6: what the relighter's output looks like when it is bright."""

EXPOSED = 0.7
"""Share of target lights brought to the standard exposure, as the live path does; the rest come as eq. 9 makes them."""

PICTURES = ("image", "target", "alpha", "normals", "albedo", "shading", "flow_bwd", "seen")
"""Arrays of a sample that are resized with the crop."""


def exposed_light(light: Light, hard_dirs: F32, gain: float) -> Light:
    """The light scaled so that a grey card facing the camera comes out at 0.18 times ``gain``."""
    code = light.with_hard(hard_dirs)
    scale = gain * float(exposed(code).sum() / max(code.sum(), 1e-6))
    return Light(light.code * scale, [(k, rgb * scale) for k, rgb in light.hard], light.sources)


def tone(linear: F32) -> F32:
    """Linear light to the sRGB code of a target picture, [0, 1]: sRGB with a shoulder above 0.6."""
    bright = np.maximum(linear - 0.6, 0)
    return linear_to_srgb(np.where(linear > 0.6, 0.6 + bright / (1 + SHOULDER * bright / 0.4), linear))


def shading_of(premultiplied: F32, albedo: F32, alpha: F32) -> F32:
    """Radiance (t, h, w, 3), premultiplied, over albedo: what a white surface would show there, shadows included."""
    return np.minimum(premultiplied / np.maximum(albedo * alpha[..., None], 0.02), 20.0)


def source_schedule(rng: np.random.Generator, frames: int) -> NDArray[np.int64]:
    """Which of two source lights (0 or 1) each frame is taken under: constant, switched once, or changing at random."""
    kind = rng.random()
    if kind < 0.5:
        return np.zeros(frames, np.int64)
    if kind < 0.75:
        return (np.arange(frames) >= rng.integers(1, max(frames, 2))).astype(np.int64)
    return rng.integers(0, 2, frames)


class Samples(IterableDataset[dict[str, Tensor]]):
    """Streams dicts of float32 tensors for ``train_relighter.clip_losses`` (t frames, crop x crop pixels).

    image, target, albedo (t, 3, h, w) sRGB-coded [0, 1]; alpha (t, 1, h, w); normals (t, 3, h, w) unit, camera frame;
    shading (t, 3, h, w) linear, of the source; source_light (t, 3, 16, 16) and target_light (3, 16, 16) linear;
    flow_bwd (t - 1, h, w, 2) pixels; seen (t - 1, 1, h, w) 1 where a point of frame t + 1 was seen in frame t.
    """

    def __init__(self, folder: Path, split: str, crop: int = 160, frames: int = 3, seed: int = 0) -> None:
        self.folder, self.split, self.crop, self.frames, self.seed = folder, split, crop, frames, seed

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, 0 if worker is None else worker.id])
        cv2.setNumThreads(1)
        panoramas = Panoramas(panoramas_of(self.split))
        pool: list[Clip] = []
        while True:
            if len(pool) < POOL or rng.random() < 1 / USES:
                clip = self._open(rng)
                if len(pool) < POOL:
                    pool.append(clip)
                else:
                    pool[int(rng.integers(POOL))] = clip
            yield sample(pool[int(rng.integers(len(pool)))], panoramas, self.crop, self.frames, rng)

    def _open(self, rng: np.random.Generator) -> Clip:
        paths = clips_of(self.folder, self.split)  # listed anew: clips may still be rendering
        if not paths:
            raise FileNotFoundError(
                f"no {self.split} clips in {self.folder}; run python -m training.light_stage.render"
            )
        for _ in range(10):
            try:
                return load_clip(paths[int(rng.integers(len(paths)))])
            except ClipError as exc:
                print(exc, flush=True)
        raise ClipError(f"ten clips in a row of {self.folder} are broken; render them again")


def sample(clip: Clip, panoramas: Panoramas, crop: int, frames: int, rng: np.random.Generator) -> dict[str, Tensor]:
    """One training sample of a clip under random lights and a random camera; see ``Samples``.

    A random square of at least crop pixels is cut out and brought to crop x crop: heads come at every size, and the
    noise is averaged as it is when a 720-line frame is brought to the network's size.
    """
    first, second, target = sample_lights(rng, panoramas, lamps=len(clip.hard_dirs))
    if rng.random() < EXPOSED:
        target = exposed_light(target, clip.hard_dirs, 2.0 ** float(np.clip(rng.normal(0, 0.4), -1, 1)))
    t, h, w = clip.shape
    start = int(rng.integers(t - frames + 1))
    side = int(rng.integers(crop, min(h, w) + 1))
    y, x = int(rng.integers(h - side + 1)), int(rng.integers(w - side + 1))
    cut = (slice(start, start + frames), slice(y, y + side), slice(x, x + side))
    alpha = clip.alpha[cut]
    lit = [clip.relight(light.code, light.hard)[cut] for light in (first, second)]
    rooms = [panoramas.background(light, clip, rng)[cut[1:]] for light in (first, second)]
    which = source_schedule(rng, frames)
    person = np.stack([lit[k][i] for i, k in enumerate(which)])
    room = np.stack([rooms[k] for k in which])
    scene = person + (1 - alpha[..., None]) * room
    camera = sample_webcam(rng, np.minimum(scene, 2.0).mean((0, 1, 2)))
    image = compose(person, alpha, room, camera, rng).astype(np.float32) / 255
    # The room stays as filmed: only the person is judged, and mixed edge pixels keep what they hold of the room.
    filmed_room = compose(np.zeros_like(room[:1]), np.zeros_like(alpha[:1]), room[:1], _clean(camera), rng)[0]
    relit = clip.relight(target.code, target.hard)[cut]
    straight = tone(relit / np.maximum(alpha, 1 / 255)[..., None])
    goal = alpha[..., None] * straight + (1 - alpha[..., None]) * filmed_room.astype(np.float32) / 255
    gain = np.float32(camera.white_balance) * 2.0**camera.exposure_ev
    codes = [light.with_hard(clip.hard_dirs) * gain for light in (first, second)]
    albedo = clip.albedo[cut]
    window = slice(start, start + frames - 1)
    arrays = {
        "image": image,
        "target": goal,
        "alpha": alpha[..., None],
        "normals": clip.normals[cut],
        "albedo": linear_to_srgb(albedo),
        "shading": shading_of(person * gain, albedo, alpha),
        "flow_bwd": clip.flow_bwd[window, cut[1], cut[2]],
        "seen": (~clip.occ_bwd[window, cut[1], cut[2]] & (alpha[1:] > 0.5))[..., None],
        "source_light": np.stack([codes[k] for k in which]),
        "target_light": target.with_hard(clip.hard_dirs),
    }
    if rng.random() < 0.5:
        arrays = {name: mirrored(value, name in ("normals", "flow_bwd")) for name, value in arrays.items()}
    for name in PICTURES:
        arrays[name] = np.stack([resized(picture, crop) for picture in arrays[name]])
    arrays["flow_bwd"] *= crop / side
    return {
        name: torch.from_numpy(np.ascontiguousarray(value if name == "flow_bwd" else np.moveaxis(value, -1, -3)))
        for name, value in arrays.items()
    }


def resized(picture: NDArray[np.generic], side: int) -> F32:
    """A square picture (h, h, c), c in 1..3, brought to side x side by area, float32 (side, side, c)."""
    out = cv2.resize(np.asarray(picture, np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return out.reshape(side, side, -1).astype(np.float32)


def mirrored(value: NDArray[np.generic], is_vector: bool) -> NDArray[np.generic]:
    """An array of a sample, (..., h, w, c), as the mirror image of the scene has it; vectors turn their x round."""
    value = np.flip(value, -2)
    if is_vector:
        value = value * np.float32([-1, 1, 1])[: value.shape[-1]]
    return value


def _clean(camera: WebcamSettings) -> WebcamSettings:
    """The same exposure and colour without noise, blur, sharpening and JPEG."""
    return WebcamSettings(exposure_ev=camera.exposure_ev, white_balance=camera.white_balance, shoulder=camera.shoulder)
