"""An LED cube around the person, emulated: near field, limited panels, and one performance under several lights.

The cube reproduces an environment on its panels; `LedCube.relight` lights a clip by the panels as each point of the
person sees them from where it is. `recording` multiplexes several environments over the frames of a clip with an even
tracking light between, as a high-speed stage does; `rebuilt` carries them back to common instants.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from training.light_stage.clip import Clip
from training.light_stage.directions import BASIS, direction, latlong, solid_angles

FACES = ("+x", "-x", "+y", "-y", "+z", "-z")
SUB = 8
GRID = 4


@dataclass(frozen=True)
class LedCube:
    """A cube of panels about the head. Radiance is in units of the environment's exposed scale.

    half_m: half an edge; leds: LEDs along a panel's edge; peak: highest radiance; bits: steps of an LED at this
    refresh rate; crosstalk: share of its neighbours' colours that a camera channel sees under the LEDs' narrow bands
    (white stays white); spread: standard deviation of a panel's gain per channel after calibration; falloff: radiance
    off a panel's axis is cos ** falloff; hole_m: radius of the camera's hole in the front panel; floor: has a floor.
    """

    half_m: float = 1.2
    leds: int = 48
    peak: float = 24.0
    bits: int = 10
    crosstalk: float = 0.04
    spread: float = 0.02
    falloff: float = 0.3
    hole_m: float = 0.1
    floor: bool = True
    seed: int = 0

    def _points(self) -> np.ndarray:
        """(6, leds, leds, 3) LED positions in metres, camera axes, about the cube's centre."""
        side = ((np.arange(self.leds) + 0.5) / self.leds * 2 - 1) * self.half_m
        a, b = np.meshgrid(side, side, indexing="ij")
        faces = []
        for name in FACES:
            axis = "xyz".index(name[1])
            point = np.zeros((self.leds, self.leds, 3))
            point[..., axis] = self.half_m if name[0] == "+" else -self.half_m
            point[..., (axis + 1) % 3], point[..., (axis + 2) % 3] = a, b
            faces.append(point)
        return np.stack(faces)

    def drive(self, panorama: np.ndarray) -> np.ndarray:
        """(6, leds, leds, 3) float32 radiance that the panels show for a lat-long (h, w, 3) linear panorama.

        What a LED cannot reach spreads over its neighbours; then come the steps, and each panel's own tint.
        """
        points = self._points()
        u, v = latlong(points)
        h, w = panorama.shape[:2]
        wanted = np.stack([cv2.remap(
            panorama.astype(np.float32), np.float32(fu * w - 0.5), np.float32(fv * h - 0.5), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP) for fu, fv in zip(u, v, strict=True)])  # fmt: skip
        # an LED off the panel's middle shines less towards the head: it is driven harder
        wanted /= (self.half_m / np.linalg.norm(points, axis=-1, keepdims=True)) ** self.falloff
        shown = np.stack([_spilled(face, self.peak) for face in wanted])
        steps = 2**self.bits - 1
        shown = np.rint(np.clip(shown / self.peak, 0, 1) * steps) / steps * self.peak
        tint = 1 + self.spread * np.random.default_rng(self.seed).standard_normal((6, 1, 1, 3))
        front = points[4]
        shown[4][np.hypot(front[..., 0], front[..., 1]) < self.hole_m] = 0
        shown[3] *= self.floor
        return (shown * tint).astype(np.float32)

    def code_at(self, drive: np.ndarray, position: np.ndarray) -> np.ndarray:
        """(16, 16, 3) light code of the panels as seen from a position (3,) in metres about the cube's centre."""
        fine = BASIS * SUB
        u, v = np.meshgrid((np.arange(fine) + 0.5) / fine, (np.arange(fine) + 0.5) / fine)
        d = direction(u, v)
        with np.errstate(divide="ignore"):
            reach = (np.sign(d) * self.half_m - position) / d
        axis = np.argmin(reach, axis=-1)
        hit = position + d * np.take_along_axis(reach, axis[..., None], -1)
        positive = np.take_along_axis(d, axis[..., None], -1)[..., 0] > 0
        place = [np.take_along_axis(hit, ((axis + k) % 3)[..., None], -1)[..., 0] for k in (1, 2)]
        row, column = (np.clip(((x / self.half_m + 1) / 2 * self.leds).astype(int), 0, self.leds - 1) for x in place)
        slant = np.abs(np.take_along_axis(d, axis[..., None], -1))
        seen = drive[2 * axis + ~positive, row, column] * slant**self.falloff
        seen = seen * solid_angles(fine, fine)[..., None]
        total = seen.reshape(BASIS, SUB, BASIS, SUB, 3).sum((1, 3))
        return (total / solid_angles(BASIS, BASIS)[..., None]).astype(np.float32)

    def relight(self, clip: Clip, frame: int, drive: np.ndarray) -> np.ndarray:
        """(H, W, 3) float32 linear, premultiplied: one frame lit by the panels, in the near field.

        The panels' light is exact at GRID ** 3 places about the person and interpolated between.
        """
        only, points = _one_frame(clip, frame)
        low, high = points.min(0) - 1e-3, points.max(0) + 1e-3
        centre = _head(clip, frame, points)
        place = (points - low) / (high - low) * (GRID - 1)
        out = np.zeros((len(points), 3), np.float32)
        for node in np.ndindex(GRID, GRID, GRID):
            share = np.prod(np.maximum(1 - np.abs(place - node), 0), axis=1).astype(np.float32)
            if share.max() > 0:
                position = low + np.array(node) / (GRID - 1) * (high - low) - centre
                out += share[:, None] * only.relight_pixels(self.code_at(drive, position))
        mix = np.full((3, 3), self.crosstalk / 2) + np.eye(3) * (1 - 1.5 * self.crosstalk)
        height, width = clip.shape[1:]
        picture = np.zeros((height * width, 3), np.float32)
        picture[only.arrays["pixel"]] = np.maximum(out @ mix.T.astype(np.float32), 0)
        return picture.reshape(height, width, 3)


def _spilled(face: np.ndarray, peak: float) -> np.ndarray:
    """A panel (n, n, 3) whose light above `peak` has gone to LEDs near it, as far as they have room."""
    shown = np.minimum(face, peak)
    excess = face - shown
    for step in range(40):
        if excess.sum() <= 1e-3 * face.sum():
            break
        spread = cv2.GaussianBlur(excess, (0, 0), 0.8 + 0.35 * step, borderType=cv2.BORDER_REFLECT)
        taken = np.minimum(spread, peak - shown)
        shown, excess = shown + taken, spread - taken
    return shown


def _one_frame(clip: Clip, frame: int) -> tuple[Clip, np.ndarray]:
    """(a clip of that frame alone, for `relight_pixels`; its pixels' points (n, 3) in the camera frame, metres)."""
    first, last = (int(i) for i in clip.arrays["frame_start"][frame : frame + 2])
    per_pixel = ("response", "albedo", "alpha", "reflection", "roughness", "gloss", "pixel", "depth")
    arrays = {name: clip.arrays[name][first:last] for name in per_pixel} | {"basis": clip.arrays["basis"]}
    pixel, depth = arrays["pixel"], arrays["depth"].astype(np.float64)
    x, y = pixel % clip.shape[2] + 0.5, pixel // clip.shape[2] + 0.5
    cx, cy = clip.arrays["principal_px"]
    focal = float(clip.arrays["focal_px"])
    return Clip(arrays), np.stack([(x - cx) / focal * depth, (cy - y) / focal * depth, -depth], axis=-1)


def _head(clip: Clip, frame: int, points: np.ndarray) -> np.ndarray:
    """(3,) where the cube's centre stands: the middle of what is seen of head and hair."""
    first, last = clip.arrays["frame_start"][frame : frame + 2]
    label = clip.arrays["label"][first:last]
    high = points[:, 1] > points[:, 1].max() - 0.25
    return (
        np.median(points[high & np.isin(label, (1, 2))], axis=0)
        if (high & np.isin(label, (1, 2))).any()
        else points.mean(0)
    )


def recording(clip: Clip, cube: LedCube, panoramas: list[np.ndarray], white: float = 1.0):
    """(pictures (T, H, W, 3) linear, pattern (T,)): frame t of the clip under pattern[t], or -1: even tracking light.

    The frames of the clip stand for the slots of a high-speed camera: tracking, first environment, second, and so on.
    """
    drives = [cube.drive(p) for p in panoramas]
    even = cube.drive(np.full((32, 64, 3), white, np.float32))
    pattern = np.arange(clip.shape[0]) % (len(drives) + 1) - 1
    return np.stack([cube.relight(clip, t, even if k < 0 else drives[k]) for t, k in enumerate(pattern)]), pattern


def rebuilt(pictures: np.ndarray, pattern: np.ndarray, count: int) -> dict[int, list[np.ndarray]]:
    """For each tracking slot that has one after it: the person at that instant under each environment, (H, W, 3).

    Motion is followed from tracking slot to tracking slot by optical flow and taken as even between them.
    """
    tracks = np.flatnonzero(pattern < 0)
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    height, width = pictures.shape[1:3]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    out = {}
    for start, end in pairwise(tracks):
        grey = [np.uint8(np.clip(pictures[t].mean(-1), 0, 1) ** 0.45 * 255) for t in (start, end)]
        flow = finder.calc(*grey, None)
        moved = []
        for k in range(count):
            part = float(k + 1) / float(end - start)
            target = (x + part * flow[..., 0], y + part * flow[..., 1])
            moved.append(cv2.remap(pictures[start + 1 + k], *target, cv2.INTER_LINEAR))
        out[int(start)] = moved
    return out
