"""Normals of real faces, from MediaPipe's face mesh: what a real picture can teach about the shape of a face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

ENLARGED = 4
"""Small faces are shown to the landmarker this many times larger."""
LOWEST_HEAD = 0.45
"""The middle of a face lies above this part of the person's height, ..."""
CLOSE_HEAD = 0.3
"""... or the face is at least this part of it high: a person near the camera, who shows no more than the shoulders."""


class FaceMesh:
    """MediaPipe's face landmarker on single pictures. model: path of face_landmarker.task. Raises FileNotFoundError."""

    def __init__(self, model: Path) -> None:
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        if not model.exists():
            raise FileNotFoundError(f"{model} is not there; expected MediaPipe's face_landmarker.task")
        self._image = mediapipe.Image, mediapipe.ImageFormat.SRGB
        options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(model)), num_faces=3)
        self._landmarker = vision.FaceLandmarker.create_from_options(options)
        edges = [(e.start, e.end) for e in vision.FaceLandmarksConnections.FACE_LANDMARKS_TESSELATION]
        self._triangles = np.array([[a for a, _ in edges[k : k + 3]] for k in range(0, len(edges), 3)])

    def points(self, picture: U8) -> list[F32]:
        """Vertices of every face in a picture uint8 (h, w, 3) sRGB: float32 (n, 3) pixels, y down, z away."""
        kind, form = self._image
        found = self._landmarker.detect(kind(image_format=form, data=np.ascontiguousarray(picture)))
        h, w = picture.shape[:2]
        return [np.float32([(p.x * w, p.y * h, p.z * w) for p in face]) for face in found.face_landmarks]

    def normals(self, picture: U8, matte: F32) -> F32:
        """Normals (h, w, 3) in the camera frame (+y up, +z to the camera): unit where a face is found, else 0.

        matte (h, w) in [0, 1]: faces too small for the landmarker are looked for at its upper end, enlarged.
        """
        normals = np.zeros((*picture.shape[:2], 3), np.float32)
        for points in self._heads(picture, matte):
            draw_mesh(normals, points, self._triangles)
        seen = np.abs(normals).sum(2, keepdims=True) > 0
        smooth = cv2.GaussianBlur(normals, (0, 0), 1.0)
        length = np.linalg.norm(smooth, axis=2, keepdims=True)
        return np.where(seen, smooth / np.maximum(length, 1e-6), 0).astype(np.float32)

    def _heads(self, picture: U8, matte: F32) -> list[F32]:
        """The faces that lie where the matte has a head: a face printed on a shirt is none."""
        person = matte > 0.5
        rows = np.flatnonzero(person.sum(1) > 3)
        if len(rows) == 0:
            return []
        first, height = int(rows[0]), int(rows[-1] - rows[0])
        side = max(int(0.35 * height), 48)
        top = max(first - side // 4, 0)
        left = max(int(np.flatnonzero(person[first : first + side].any(0)).mean()) - side // 2, 0)
        found = [points for points in self.points(picture) if is_head(points, first, height)]
        if found:
            return found
        cut = picture[top : top + side, left : left + side]
        grown = np.asarray(cv2.resize(cut, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC), np.uint8)
        return [(p / ENLARGED + np.float32([left, top, 0])).astype(np.float32) for p in self.points(grown)]

    def close(self) -> None:
        """Free the model."""
        self._landmarker.close()


def is_head(points: F32, first: int, height: int) -> bool:
    """True if a face (n, 3) is a head of the person whose matte starts at row ``first`` and is ``height`` rows high."""
    rows = points[:, 1]
    return bool(rows.mean() < first + LOWEST_HEAD * height or np.ptp(rows) > CLOSE_HEAD * height)


def draw_mesh(normals: F32, points: F32, triangles: NDArray[np.int64]) -> None:
    """Draw the normals of a mesh (points (n, 3) pixels, y down, z away; triangles (m, 3)) into normals (h, w, 3).

    Triangles that face away are left out; near ones cover far ones; each has the mean normal of its vertices.
    """
    a, b, c = (points[triangles[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a)
    facing *= np.where(facing[:, 2:] > 0, -1, 1)  # towards the camera, which looks along +z here
    vertex = np.zeros_like(points)
    for k in range(3):
        np.add.at(vertex, triangles[:, k], facing)
    vertex /= np.maximum(np.linalg.norm(vertex, axis=1, keepdims=True), 1e-9)
    mean = vertex[triangles].mean(1) * np.float32([1, -1, -1])  # y up, z to the camera
    for k in np.argsort(-points[triangles, 2].mean(1)):
        corners = np.rint(points[triangles[k], :2] * 16).astype(np.int32)
        cv2.fillConvexPoly(normals, corners, mean[k].tolist(), lineType=cv2.LINE_8, shift=4)
