"""A webcam: perspective, framed on the head, in the body frame of the person; pixels (x right, y down)."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Camera:
    """Pinhole. centre (3,) metres and rotation (3, 3) body -> camera; focal and principal point in pixels."""

    centre: np.ndarray
    rotation: np.ndarray
    focal: float
    principal: np.ndarray
    size: tuple[int, int]  # height, width

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Body-frame points (n, 3) in the camera frame (+z towards the camera: visible points have z < 0)."""
        return ((points - self.centre) @ self.rotation.T).astype(np.float32)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Camera-frame points (n, 3) to pixels (n, 2); pixel centres lie at integer + 0.5."""
        depth = np.minimum(points[:, 2:3], -1e-3)
        return points[:, :2] / -depth * self.focal * [1, -1] + self.principal

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Unit view directions (n, 3) float32 in the camera frame through pixels (n, 2)."""
        xy = (pixels - self.principal) / self.focal * [1, -1]
        d = np.concatenate([xy, -np.ones_like(xy[:, :1])], axis=1)
        return (d / np.linalg.norm(d, axis=1, keepdims=True)).astype(np.float32)

    def fov_deg(self) -> float:
        """Horizontal field of view."""
        return float(np.degrees(2 * np.arctan(self.size[1] / 2 / self.focal)))


@dataclass(frozen=True)
class Aim:
    """Where a webcam stands as seen from the head it is meant for: distance, and its turns in radians."""

    distance_m: float
    pitch: float
    yaw: float
    roll: float

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) body -> camera."""
        return Rotation.from_euler("zxy", [self.roll, self.pitch, self.yaw]).as_matrix()

    def place(self) -> np.ndarray:
        """(3,) the camera's place, metres from the head, body frame."""
        return self.rotation.T @ np.array([0, 0, self.distance_m])


def sample_aim(rng: np.random.Generator) -> Aim:
    """A random place for a webcam: on a laptop or a screen, nearly in front."""
    distance_m = rng.uniform(0.5, 1.0)
    return Aim(distance_m, rng.normal(0.0, 0.1), rng.normal(0, 0.08), rng.normal(0, 0.025))


CLOSE = (0.74, 1.3)
"""How high a head is in a close-up, in heights of the picture: from where other framings end to a face cut off."""


def frame_head(
    rng: np.random.Generator, head: np.ndarray, size: tuple[int, int], aim: Aim, close: bool = False
) -> Camera:
    """A random webcam framing of a head at `head` (3,), from close to half body, off-centre at times; or a close-up."""
    height, width = size
    share = rng.choice([rng.uniform(0.26, 0.38), rng.uniform(0.36, 0.52), rng.uniform(0.5, 0.74)], p=[0.09, 0.49, 0.42])
    if close:
        share = rng.uniform(*CLOSE)
    visible_m = 0.25 / share * height / min(height, width)
    x = 0.5 + np.clip(rng.normal(0, 0.06 + 0.06 * (rng.random() < 0.3)), -0.3, 0.3)
    y = rng.uniform(0.4, 0.6) if close else np.clip(rng.uniform(0.05, 0.2) + share * 0.5, 0.25, 0.6)
    principal = np.array([x * width, y * height])
    return Camera(head + aim.place(), aim.rotation, float(height / visible_m * aim.distance_m), principal, size)


def shaken(camera: Camera, offset: np.ndarray) -> Camera:
    """The same camera with its picture moved by offset (2,) pixels (a desk that trembles)."""
    return Camera(camera.centre, camera.rotation, camera.focal, camera.principal + offset, camera.size)
