"""Training samples: rendered clips, lit and filmed on the fly, cropped; an endless stream.

A pool of open clips turns over slowly, because opening a clip costs more than lighting it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from training.area import resized
from training.clutter import draw_clutter, laid, level_of
from training.light_stage.dataset import (
    ClipError,
    Light,
    Panoramas,
    clips_of,
    develop,
    exposed,
    lights_with_keys,
    load_clip,
    mix,
    panoramas_of,
    plain_lights,
    plan_backdrop,
    sample_lights,
)
from training.light_stage.footage import (
    ALBEDO,
    ALPHA,
    FLOW,
    NORMAL,
    SEEN,
    TINT,
    Footage,
    Window,
)
from training.light_stage.lamps import lamp
from training.light_stage.tone import TABLE
from training.light_stage.webcam import WebcamSettings, recorded, sample_webcam, varied_webcam
from training.patterns import varied
from training.pixels import finished, placed
from training.recolour import dye, pigment
from training.source_light import drift, source_schedule
from training.windows import near_window, random_window

F32 = NDArray[np.float32]


class DrawLights(Protocol):
    """Draws source light, another source light and target light; see ``sample_lights``."""

    def __call__(self, rng: np.random.Generator, panoramas: Panoramas, *, lamps: int) -> tuple[Light, Light, Light]: ...


class DrawCamera(Protocol):
    """Draws a camera for a scene of a mean colour (3,), linear; see ``sample_webcam``."""

    def __call__(self, rng: np.random.Generator, mean: NDArray[np.float32], /) -> WebcamSettings: ...


POOL = 24
"""Clips held open by each worker."""
USES = 12
"""Samples drawn, on average, from a clip before it is closed."""
PROBES = 2
"""Single lamps under which the last frame of a training sample is shaded too."""
TONED = 0.6
"""Share of training clips whose skin gets more or less pigment: there are few skins, which are soon known by heart."""
DYED = 0.6
"""Share of training clips whose clothes get another colour. Rendered ones are pale, real ones can be orange, and a
network that has not seen that takes it for light."""
CLUTTERED = 0.4
"""Share of training samples with things in the room."""
DRIFTING = 0.3
"""Share of training samples whose source light changes a little from frame to frame, as clouds and screens make it."""
NEAR = 0.25
"""Share of training samples that are near a face or a hand, enlarged: people come close to their cameras."""
EXPOSED = 0.7
"""Share of target lights brought to the standard exposure, as the live path does; the rest come as eq. 9 makes them."""


def exposed_light(light: Light, hard_dirs: F32, gain: float) -> Light:
    """The light scaled so that a grey card facing the camera comes out at 0.18 times ``gain``."""
    code = light.with_hard(hard_dirs)
    scale = gain * float(exposed(code).sum() / max(code.sum(), 1e-6))
    return Light(light.code * scale, [(k, rgb * scale) for k, rgb in light.hard], light.sources)


class Samples(IterableDataset[dict[str, Tensor]]):
    """Streams dicts of float32 tensors for ``train_relighter.clip_losses`` (t frames, crop x crop pixels).

    image, target, albedo (t, 3, h, w) sRGB-coded [0, 1]; alpha, cloth (t, 1, h, w); normals (t, 3, h, w) unit, camera
    frame; shading and target_shading (t, 3, h, w) linear; source_light (t, 3, 16, 16), target_light (3, 16, 16) linear;
    probe_shading (p, 3, h, w) and probe_light (p, 3, 16, 16), of ``probed``;
    flow_bwd (t - 1, h, w, 2) pixels; seen (t - 1, 1, h, w) 1 where a point of frame t + 1 was seen in frame t.

    For ablations: mixed False draws plain panoramas in place of NVPR's eq. 9; prints False leaves out
    training.patterns.
    """

    def __init__(
        self, folder: Path, split: str, crop: int = 160, frames: int = 3, seed: int = 0,
        mixed: bool = True, prints: bool = True,
    ) -> None:  # fmt: skip
        self.folder, self.split, self.crop, self.frames, self.seed = folder, split, crop, frames, seed
        self.lights: DrawLights = lights_with_keys if mixed else plain_lights
        self.prints = prints

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, 0 if worker is None else worker.id])
        cv2.setNumThreads(1)
        panoramas = Panoramas(panoramas_of(self.split))
        pool: list[Footage] = []
        while True:
            if len(pool) < POOL or rng.random() < 1 / USES:
                footage = self._open(rng)
                if len(pool) < POOL:
                    pool.append(footage)
                else:
                    pool[int(rng.integers(POOL))] = footage
            footage = pool[int(rng.integers(len(pool)))]
            drawn = sample(
                footage, panoramas, self.crop, self.frames, rng, self.lights, probes=PROBES, cluttered=CLUTTERED,
                camera=varied_webcam, drifting=DRIFTING, near=NEAR,
            )  # fmt: skip
            yield varied(drawn, rng) if self.prints else drawn

    def _open(self, rng: np.random.Generator) -> Footage:
        paths = clips_of(self.folder, self.split)  # listed anew: clips may still be rendering
        if not paths:
            raise FileNotFoundError(
                f"no {self.split} clips in {self.folder}; run python -m training.light_stage.render"
            )
        for _ in range(10):
            try:
                clip = load_clip(paths[int(rng.integers(len(paths)))])
                melanin = pigment(clip.arrays, rng) if rng.random() < TONED else None
                return Footage(clip, melanin, dye(clip.arrays, rng) if rng.random() < DYED else None)
            except ClipError as exc:
                print(exc, flush=True)
        raise ClipError(f"ten clips in a row of {self.folder} are broken; render them again")


def sample(
    footage: Footage, panoramas: Panoramas, crop: int, frames: int, rng: np.random.Generator,
    lights: DrawLights = sample_lights, probes: int = 0, cluttered: float = 0, camera: DrawCamera = sample_webcam,
    drifting: float = 0, near: float = 0,
) -> dict[str, Tensor]:  # fmt: skip
    """One training sample of a clip under random ``lights`` and a random ``camera``; see ``Samples``.

    probes: so many lamps are drawn beside the lights; cluttered: share of samples with things in the room; drifting:
    share of samples with a light that goes on a ``drift``; all without a change to what else is drawn. near: share of
    samples in a ``near_window``.

    A square is cut out and brought to crop x crop: heads come at every size. Unless it is near, it has at least crop
    pixels a side, and the noise is averaged as it is when a 720-line frame is brought to the network's size.
    """
    clip = footage.clip
    first, second, target = lights(rng, panoramas, lamps=len(clip.hard_dirs))
    if rng.random() < EXPOSED:
        target = exposed_light(target, clip.hard_dirs, 2.0 ** float(np.clip(rng.normal(0, 0.4), -1, 1)))
    things_rng, lamps_rng, drift_rng, near_rng = rng.spawn(4)
    window = random_window(rng, clip.shape, crop, frames)
    if near_rng.random() < near:
        window = near_window(near_rng, footage, crop, window)
    rooms = [plan_backdrop(panoramas, light, clip.arrays, clip.shape[1:], rng) for light in (first, second)]
    of_second: F32 = source_schedule(rng, frames).astype(np.float32)
    if drift_rng.random() < drifting:
        of_second = drift(drift_rng, frames)
    shares, which = np.unique(of_second, return_inverse=True)
    sources = [mix(second, first, float(share)) for share in shares]
    views = backdrops(rooms, shares, window, things_rng, cluttered)
    room = np.stack([views[k] for k in which])
    person, relit = footage.relight(window, [*sources, target], np.stack([which, np.full(frames, len(sources))]))
    still = footage.still(window)
    scene, mean = placed(person, still, room)
    filming = camera(rng, mean)
    image = recorded(scene, filming, rng)
    # The room stays as filmed: only the person is judged, and mixed edge pixels keep what they hold of the room.
    filmed = [develop(view, _clean(filming), 0, rng) for view in views]
    filmed_room = np.stack([filmed[k] for k in which])
    gain = np.float32(filming.white_balance) * np.float32(2.0**filming.exposure_ev)
    pictures = finished(TABLE, still, person, relit, image, filmed_room, gain)
    mirrored = bool(rng.random() < 0.5)
    small = resized(pictures, crop, mirrored)
    small[:, FLOW] *= crop / window.side
    codes = [light.with_hard(clip.hard_dirs) for light in (*sources, target)]
    if mirrored:
        small[:, [NORMAL.start, FLOW.start]] *= -1  # x of the vectors
        codes = [np.flip(code, 1) for code in codes]
    found = in_tensors(small, np.stack([codes[k] * gain for k in which]), codes[-1])
    return found | (probed(footage, window, crop, mirrored, lamps_rng, probes) if probes else {})


def backdrops(
    rooms: Sequence[Callable[[], F32]], shares: F32, window: Window, rng: np.random.Generator, cluttered: float
) -> list[F32]:
    """What is behind the person in a window, a linear view (side, side, 3) for each of ``shares`` (n,) of the second of
    two rooms; cluttered: how likely there are things in both."""
    painted = [rooms[k]()[window.cut[1:]] if (shares != 1 - k).any() else np.float32(0) for k in (0, 1)]
    if rng.random() < cluttered:
        things = draw_clutter(rng, (window.side, window.side))
        painted = [laid(view, things, level_of(view)) if view.ndim else view for view in painted]
    return [(1 - share) * painted[0] + share * painted[1] for share in shares]


def probed(
    footage: Footage, window: Window, crop: int, mirrored: bool, rng: np.random.Generator, count: int
) -> dict[str, Tensor]:
    """The last frame's shading under ``count`` single lamps, which shows what keeps light off as no room does.

    probe_shading (count, 3, h, w), linear; probe_light (count, 3, 16, 16).
    """
    last = Window(window.start + window.frames - 1, 1, window.y, window.x, window.side)
    lamps = [lamp(rng, len(footage.clip.hard_dirs)) for _ in range(count)]
    lit = footage.relight(last, lamps, np.arange(count)[:, None])[:, 0]
    shading = np.minimum(lit / np.maximum(footage.still(last)[..., TINT], np.float32(0.02)), np.float32(20))
    shading = np.ascontiguousarray(np.moveaxis(shading, 0, 2)).reshape(1, window.side, window.side, -1)
    small = resized(shading, crop, mirrored)
    codes = np.stack([light.with_hard(footage.clip.hard_dirs) for light in lamps])
    codes = np.flip(codes, 2) if mirrored else codes
    return {
        "probe_shading": torch.from_numpy(small[0].reshape(count, 3, crop, crop)),
        "probe_light": torch.from_numpy(np.ascontiguousarray(np.moveaxis(codes, -1, -3))),
    }


def in_tensors(small: F32, source_light: F32, target_light: F32) -> dict[str, Tensor]:
    """The named tensors of a sample from its pictures (t, 23, h, w) and light codes (..., 16, 16, 3)."""
    pictures = torch.from_numpy(small)
    return {
        "image": pictures[:, 10:13],
        "target": pictures[:, 13:16],
        "alpha": pictures[:, ALPHA : ALPHA + 1],
        "normals": pictures[:, NORMAL],
        "albedo": pictures[:, ALBEDO],
        "shading": pictures[:, 16:19],
        "target_shading": pictures[:, 19:22],
        "flow_bwd": pictures[1:, FLOW].permute(0, 2, 3, 1),
        "seen": pictures[1:, SEEN : SEEN + 1],
        "cloth": pictures[:, 22:23],
        "source_light": torch.from_numpy(np.ascontiguousarray(np.moveaxis(source_light, -1, -3))),
        "target_light": torch.from_numpy(np.ascontiguousarray(np.moveaxis(target_light, -1, -3))),
    }


def _clean(camera: WebcamSettings) -> WebcamSettings:
    """The same exposure and colour without noise, blur, sharpening and JPEG."""
    return WebcamSettings(exposure_ev=camera.exposure_ev, white_balance=camera.white_balance, shoulder=camera.shoulder)
