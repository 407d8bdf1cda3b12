"""A clip held open for training: its arrays unpacked once, so that crops of a few frames are relit in milliseconds.

`Clip` is the plain truth; `Footage` gives the same values for a window of it, and a test holds them together.
"""

from dataclasses import dataclass

import numba
import numpy as np

from training.light_stage.clip import Clip
from training.light_stage.gloss import atlas_coordinates, atlases
from training.light_stage.lights import Light
from training.light_stage.tone import encode

ALPHA, NORMAL, ALBEDO, FLOW, SEEN, TINT, CLOTH = 0, slice(1, 4), slice(4, 7), slice(7, 9), 9, slice(10, 13), 13
"""Channels of `Footage.still`: alpha; unit normal; albedo in sRGB code; backward flow in pixels (0 in frame 0 of the
clip); 1 where the point was seen in the frame before; linear albedo times alpha; alpha of clothes."""
CHANNELS = 14
SKIN, CLOTHES = 1, 5
"""Labels of skin and clothes in `Clip.parsing`."""
WHITEST = 0.85
"""Linear albedo that no dyed cloth exceeds."""


@dataclass(frozen=True)
class Window:
    """A square of `side` pixels at row y, column x in frames [start, start + frames); past a clip's end its last frame
    stands still."""

    start: int
    frames: int
    y: int
    x: int
    side: int

    @property
    def cut(self) -> tuple[slice, slice, slice]:
        """The window as an index of (T, H, W, ...) arrays."""
        rows, columns = slice(self.y, self.y + self.side), slice(self.x, self.x + self.side)
        return slice(self.start, self.start + self.frames), rows, columns


@numba.njit(cache=True)
def _place(pixel, values, width, y, x, side, out):
    """Scatter values (n, c) of one frame's pixels into out (side, side, c)."""
    for i in range(pixel.shape[0]):
        row, column = pixel[i] // width - y, pixel[i] % width - x
        if 0 <= row < side and 0 <= column < side:
            for c in range(values.shape[1]):
                out[row, column, c] = values[i, c]


@numba.njit(cache=True, fastmath=True)
def _shine(pixel, diffuse, still, gloss, where, mix, blurred, width, y, x, side, out):
    """Diffuse (n, 3) times tint plus mirrored atlas (h, w, 3), written to out (side, side, 3), premultiplied."""
    for i in range(pixel.shape[0]):
        row, column = pixel[i] // width - y, pixel[i] % width - x
        if row < 0 or row >= side or column < 0 or column >= side:
            continue
        u = where[i, 0]
        x0 = int(u)
        fx = u - x0
        for c in range(3):
            mirrored = 0.0
            for level in range(2):
                v = where[i, 1 + level]
                y0 = int(v)
                fy = v - y0
                top = blurred[y0, x0, c] * (1 - fx) + blurred[y0, x0 + 1, c] * fx
                below = blurred[y0 + 1, x0, c] * (1 - fx) + blurred[y0 + 1, x0 + 1, c] * fx
                share = mix[i] if level else 1 - mix[i]
                mirrored += share * (top + (below - top) * fy)
            out[row, column, c] = diffuse[i, c] * still[i, 10 + c] + gloss[i] * mirrored


@numba.njit(cache=True)
def _add(pixel, values, rgb, width, y, x, side, out):
    """Add values (n, 3) times rgb (3,) to out (side, side, 3)."""
    for i in range(pixel.shape[0]):
        row, column = pixel[i] // width - y, pixel[i] % width - x
        if 0 <= row < side and 0 <= column < side:
            for c in range(3):
                out[row, column, c] += values[i, c] * rgb[c]


class Footage:
    """A clip with its float16 arrays unpacked. About 300 bytes a covered pixel and frame.

    melanin: the person's skin with so many times its pigment, (3,) by colour: albedo to that power, after Beer and
    Lambert. dye: what the linear albedo of all clothes is multiplied by, (3,). The gloss that is in the hard
    lights' beams is changed with them, which is wrong: little for skin, and for cloth the more, the darker it was;
    what light cloth throws on skin stays as it was.
    """

    def __init__(self, clip: Clip, melanin: np.ndarray | None = None, dye: np.ndarray | None = None) -> None:
        arrays = clip.arrays
        self.clip = clip
        self.hard = arrays["hard"]
        self.response = arrays["response"].astype(np.float32)
        self.gloss = arrays["gloss"].astype(np.float32)
        self.where, self.mix = atlas_coordinates(
            arrays["reflection"].astype(np.float32), arrays["roughness"].astype(np.float32)
        )
        alpha = arrays["alpha"].astype(np.float32) / 255
        albedo = arrays["albedo"].astype(np.float32)
        changed = []
        if melanin is not None:
            skin = arrays["label"] == SKIN
            changed.append((skin, np.maximum(albedo[skin], np.float32(1e-3)) ** np.float32(melanin - 1)))
        if dye is not None:
            cloth = arrays["label"] == CLOTHES
            white = np.float32(WHITEST) / np.maximum(albedo[cloth], np.float32(1e-3))
            changed.append((cloth, np.minimum(np.float32(dye), white)))
        if changed:
            self.hard = self.hard.copy()
        for where, gain in changed:
            albedo[where] *= gain
            self.hard[where] *= gain[:, None]
        still = np.empty((len(alpha), CHANNELS), np.float32)
        still[:, ALPHA], still[:, NORMAL], still[:, ALBEDO] = alpha, arrays["normal"], encode(albedo)
        still[:, FLOW], still[:, TINT] = arrays["flow_bwd"], albedo * alpha[:, None]
        still[:, SEEN] = (arrays["occ_bwd"] == 0) & (alpha > 0.5)
        still[:, CLOTH] = alpha * (arrays["label"] == CLOTHES)
        self._still = still

    def still(self, window: Window) -> np.ndarray:
        """(frames, side, side, CHANNELS) float32 of what no light changes; see ALPHA, ... 0 outside the person."""
        out = np.zeros((window.frames, window.side, window.side, CHANNELS), np.float32)
        for t in range(window.frames):
            rows = self._rows(window, t)
            _place(self.clip.arrays["pixel"][rows], self._still[rows], *self._corner(window), out[t])
            if window.start + t >= self.clip.shape[0]:
                out[t, ..., FLOW] = 0
                out[t, ..., SEEN] = out[t, ..., ALPHA] > 0.5
        return out

    def relight(self, window: Window, lights: list[Light], which: np.ndarray) -> np.ndarray:
        """(k, frames, side, side, 3) float32 premultiplied linear radiance; see `Clip.relight`.

        which (k, frames): frame t of picture k is lit by lights[which[k, t]].
        """
        codes = np.stack([np.asarray(light.code, np.float32).reshape(256, 3) for light in lights])
        basis = self.clip.arrays["basis"]
        mixed = np.stack([basis[:, c] @ codes[:, :, c].T for c in range(3)], axis=-1)  # (R, lights, 3)
        blurred = atlases(codes)
        out = np.zeros((len(which), window.frames, window.side, window.side, 3), np.float32)
        for t in range(window.frames):
            rows = self._rows(window, t)
            pixel = self.clip.arrays["pixel"][rows]
            used, slot = np.unique(which[:, t], return_inverse=True)
            diffuse = (self.response[rows] @ mixed[:, used].reshape(len(mixed), -1)).reshape(-1, len(used), 3)
            for k, s in enumerate(slot):
                light = int(used[s])
                _shine(pixel, diffuse[:, s], self._still[rows], self.gloss[rows], self.where[rows], self.mix[rows],
                       blurred[light], *self._corner(window), out[k, t])  # fmt: skip
                for lamp, rgb in lights[light].hard:
                    beam = self.hard[rows, lamp].astype(np.float32)
                    _add(pixel, beam, np.asarray(rgb, np.float32), *self._corner(window), out[k, t])
        return np.maximum(out, 0, out=out)

    def _rows(self, window: Window, t: int) -> slice:
        """The stored pixels of frame t of a window: whole picture lines, which lie one after the other."""
        frame = min(window.start + t, self.clip.shape[0] - 1)
        first, last = self.clip.arrays["frame_start"][frame : frame + 2]
        pixel, width = self.clip.arrays["pixel"][first:last], self.clip.shape[2]
        ends = np.searchsorted(pixel, [window.y * width, (window.y + window.side) * width])
        return slice(int(first + ends[0]), int(first + ends[1]))

    def _corner(self, window: Window) -> tuple[int, int, int, int]:
        return self.clip.shape[2], window.y, window.x, window.side
