"""A rendered clip on disk and in memory: light transport, ground truth, and relighting by linear combination."""

import os
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from training.light_stage.gloss import atlas, atlas_coordinates

FORMAT = 1


class ClipError(RuntimeError):
    """A clip file is missing, broken or of another format."""


@dataclass
class Clip:
    """T frames of H x W. Only covered pixels are stored; n is their count over all frames, frame after frame.

    frame_start (T + 1,) int64: where each frame's pixels start; pixel (n,) int32 flat index in its frame.
    response (n, R) float16 and basis (R, 3, 256) float32: diffuse response divided by albedo, factorised:
        radiance_c = alpha * albedo_c * response @ basis[:, c] @ light_code[..., c].reshape(256)
    reflection (n, 3) float16 unit, roughness (n,) float16, gloss (n,) float16: glossy part, premultiplied by alpha:
        radiance = gloss * environment blurred by roughness about reflection
    hard (n, K, 3) float16: premultiplied radiance per unit irradiance of K small lights, hard_dirs (K, 3) float32.
    """

    arrays: dict[str, np.ndarray]
    path: Path | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(frames, height, width)."""
        return tuple(int(x) for x in self.arrays["shape"])

    @property
    def split(self) -> str:
        """'train', 'val' or 'test'."""
        return str(self.arrays["split"])

    @property
    def hard_dirs(self) -> np.ndarray:
        """(K, 3) float32 unit directions towards the hard lights, camera frame."""
        return self.arrays["hard_dirs"]

    @cached_property
    def index(self) -> np.ndarray:
        """(n,) int64 flat index of each stored pixel in (T, H, W)."""
        frames, height, width = self.shape
        counts = np.diff(self.arrays["frame_start"])
        return np.repeat(np.arange(frames) * height * width, counts) + self.arrays["pixel"]

    def dense(self, name: str, fill: float = 0) -> np.ndarray:
        """(T, H, W, ...) of a stored per-pixel array; float16 becomes float32."""
        values = self.arrays[name]
        kind = np.float32 if values.dtype == np.float16 else values.dtype
        out = np.full((int(np.prod(self.shape)), *values.shape[1:]), fill, kind)
        out[self.index] = values
        return out.reshape(*self.shape, *values.shape[1:])

    @cached_property
    def alpha(self) -> np.ndarray:
        """(T, H, W) float32 in [0, 1]."""
        return self.dense("alpha").astype(np.float32) / 255

    @property
    def normals(self) -> np.ndarray:
        """(T, H, W, 3) float32 unit, camera frame; 0 outside."""
        return self.dense("normal")

    @property
    def albedo(self) -> np.ndarray:
        """(T, H, W, 3) float32 linear, straight; 0 outside."""
        return self.dense("albedo")

    @property
    def parsing(self) -> np.ndarray:
        """(T, H, W) uint8: 0 background, 1 skin, 2 hair, 3 eyes, 4 mouth, 5 clothes, 6 accessories."""
        return self.dense("label")

    @property
    def depth(self) -> np.ndarray:
        """(T, H, W) float32 metres along -z; inf outside."""
        return self.dense("depth", np.inf)

    @property
    def flow_fwd(self) -> np.ndarray:
        """(T - 1, H, W, 2) float32 pixels from frame t to t + 1, x right, y down; 0 outside."""
        return self.dense("flow_fwd")[:-1]

    @property
    def flow_bwd(self) -> np.ndarray:
        """(T - 1, H, W, 2) float32 pixels from frame t + 1 back to t."""
        return self.dense("flow_bwd")[1:]

    @property
    def occ_fwd(self) -> np.ndarray:
        """(T - 1, H, W) bool: the point of frame t is not seen in frame t + 1 (background counts as seen)."""
        return self.dense("occ_fwd")[:-1] > 0

    @property
    def occ_bwd(self) -> np.ndarray:
        """(T - 1, H, W) bool: the point of frame t + 1 was not seen in frame t."""
        return self.dense("occ_bwd")[1:] > 0

    @cached_property
    def _shading(self) -> tuple[np.ndarray, ...]:
        a = self.arrays
        where, mix = atlas_coordinates(a["reflection"].astype(np.float32), a["roughness"].astype(np.float32))
        tint = a["albedo"].astype(np.float32) * (a["alpha"].astype(np.float32) / 255)[:, None]
        return a["response"].astype(np.float32), tint, where, mix, a["gloss"].astype(np.float32)

    def relight_pixels(self, light_code: np.ndarray, hard: list[tuple[int, np.ndarray]] | None = None) -> np.ndarray:
        """(n, 3) float32 premultiplied linear radiance of the stored pixels; see `relight`."""
        response, tint, where, mix, gloss = self._shading
        code = np.asarray(light_code, np.float32).reshape(256, 3)
        mixed = np.einsum("rcb,bc->rc", self.arrays["basis"], code)
        out = (response @ mixed) * tint
        blurred = atlas(code)
        sharp = sample_atlas(blurred, where[:, 0], where[:, 1])
        dull = sample_atlas(blurred, where[:, 0], where[:, 2])
        out += gloss[:, None] * (sharp + mix[:, None] * (dull - sharp))
        for k, rgb in hard or []:
            out += self.arrays["hard"][:, k].astype(np.float32) * np.asarray(rgb, np.float32)
        return np.maximum(out, 0)

    def relight(self, light_code: np.ndarray, hard: list[tuple[int, np.ndarray]] | None = None) -> np.ndarray:
        """(T, H, W, 3) float32 linear foreground radiance, premultiplied by alpha.

        light_code (16, 16, 3): linear radiance of the lat-long environment. hard: (index, rgb) pairs, rgb the
        irradiance (radiance times solid angle) that light `index` casts on a surface facing it.
        """
        frames, height, width = self.shape
        out = np.zeros((frames * height * width, 3), np.float32)
        out[self.index] = self.relight_pixels(light_code, hard)
        return out.reshape(frames, height, width, 3)


def sample_atlas(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, 3) bilinear values of image (h, w, 3) at texel positions x, y (n,)."""
    side = 1024
    rows = -(-len(x) // side)
    grid = np.zeros((2, rows * side), np.float32)
    grid[0, : len(x)], grid[1, : len(x)] = x, y
    out = cv2.remap(image, grid[0].reshape(rows, side), grid[1].reshape(rows, side), cv2.INTER_LINEAR)
    return out.reshape(-1, 3)[: len(x)]


def save_clip(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a clip atomically: a killed run leaves no half file under the final name."""
    temporary = path.with_suffix(f".{os.getpid()}.part")
    with temporary.open("wb") as file:
        np.savez(file, format=np.int32(FORMAT), **arrays)
    temporary.replace(path)


def load_clip(path: str | Path) -> Clip:
    """Read a clip; raises ClipError with the way out if the file is broken or of another format."""
    path = Path(path)
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ClipError(f"{path} is broken ({error}); run training.light_stage.render again to remake it") from error
    if int(arrays.get("format", -1)) != FORMAT:
        raise ClipError(f"{path} has format {arrays.get('format')}, expected {FORMAT}; render it again")
    return Clip(arrays, path)


def is_good(path: Path) -> bool:
    """True if the clip can be read whole (the zip's checksums hold) and has today's format."""
    if not path.exists():
        return False
    try:
        load_clip(path)
    except ClipError:
        return False
    return True
