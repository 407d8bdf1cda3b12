"""A webcam: perspective, framed on the head, in the body frame of the person; pixels (x right, y down)."""

from dataclasses import dataclass

import numpy as np


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


def frame_head(rng: np.random.Generator, head: np.ndarray, size: tuple[int, int]) -> Camera:
    """A random webcam framing of a head at `head` (3,), from close to half body, off-centre at times."""
    height, width = size
    share = rng.choice([rng.uniform(0.26, 0.38), rng.uniform(0.36, 0.52), rng.uniform(0.5, 0.74)], p=[0.09, 0.49, 0.42])
    visible_m = 0.25 / share * height / min(height, width)
    distance = rng.uniform(0.5, 1.0)
    pitch = rng.normal(0.0, 0.1)
    yaw, roll = rng.normal(0, 0.08), rng.normal(0, 0.025)
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_euler("zxy", [roll, pitch, yaw]).as_matrix()
    centre = head + rotation.T @ np.array([0, 0, distance])
    x = 0.5 + np.clip(rng.normal(0, 0.06 + 0.06 * (rng.random() < 0.3)), -0.3, 0.3)
    y = np.clip(rng.uniform(0.05, 0.2) + share * 0.5, 0.25, 0.6)
    principal = np.array([x * width, y * height])
    return Camera(centre, rotation, float(height / visible_m * distance), principal, size)


def shaken(camera: Camera, offset: np.ndarray) -> Camera:
    """The same camera with its picture moved by offset (2,) pixels (a desk that trembles)."""
    return Camera(camera.centre, camera.rotation, camera.focal, camera.principal + offset, camera.size)
