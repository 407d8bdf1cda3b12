"""Points of ICT-FaceKit's neutral face and of Anny's that are the same places of a face, found once by MediaPipe.

python -m training.light_stage.ict_fit     (writes ict_landmarks.npz beside this file; needs mediapipe)

Both neutral heads are rendered alike (plain skin, red lips, white eyes with dark irises) from three sides, and the
landmarks that MediaPipe's face mesh finds on the pictures are brought back to the surfaces.
"""

import argparse
from pathlib import Path

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy.spatial import Delaunay
from scipy.spatial.transform import Rotation

from training.face_normals import FaceMesh
from training.light_stage import assets
from training.light_stage.body import BODY, EYES, body
from training.light_stage.ict import LANDMARKS, fit_warp, load_ict, similarity
from training.light_stage.mesh import vertex_normals

SIZE = 640  # pixels
FAR_M = 0.012  # pairs that lie further apart after a similarity are mistaken
DISTANCE_M, FIELD_M = 1.2, 0.34
YAWS_DEG = (-28.0, 0.0, 28.0)
SKIN, LIPS, WHITE, IRIS = np.float32([[0.78, 0.6, 0.5], [0.62, 0.32, 0.3], [0.9, 0.9, 0.9], [0.12, 0.08, 0.06]])
ICT_LIPS = (5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841)  # around the lips' outer edge
ICT_EYES = (slice(21451, 23021), slice(23021, 24591))


class Head:
    """A head to be looked at: points (n, 3) metres, y up, facing +z, the face's middle at the origin; colour (n, 3)."""

    def __init__(self, points: np.ndarray, faces: np.ndarray, colour: np.ndarray, skin: np.ndarray) -> None:
        """skin (n,) bool: vertices on which landmarks may lie."""
        self.points, self.faces, self.colour, self.skin = points.astype(np.float32), faces, colour, skin

    def look(self, yaw_deg: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(picture uint8 (SIZE, SIZE, 3), face hit per pixel (-1: none), barycentric (SIZE, SIZE, 3)) from one side."""
        turned = Rotation.from_euler("y", yaw_deg, degrees=True).apply(self.points).astype(np.float32)
        scene = EmbreeScene()
        TriangleMesh(scene, turned, self.faces)
        axis = ((np.arange(SIZE) + 0.5) / SIZE - 0.5) * FIELD_M
        x, y = np.meshgrid(axis, -axis)
        rays = np.stack([x, y, np.full_like(x, -DISTANCE_M)], axis=-1).reshape(-1, 3).astype(np.float32)
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        origins = np.tile(np.float32([0, 0, DISTANCE_M]), (len(rays), 1))
        hit = scene.run(origins, rays, output=True)
        face, bary = hit["primID"], np.stack([1 - hit["u"] - hit["v"], hit["u"], hit["v"]], axis=1)
        corner = self.faces[face]
        normal = np.einsum("nk,nki->ni", bary, vertex_normals(turned, self.faces)[corner])
        light = 0.35 + 0.65 * np.clip(normal @ np.float32([0.15, 0.35, 0.92]), 0, 1)
        rgb = np.einsum("nk,nki->ni", bary, self.colour[corner]) * light[:, None]
        rgb = np.where(face[:, None] >= 0, rgb, 0.35)
        picture = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8).reshape(SIZE, SIZE, 3)
        return picture, face.reshape(SIZE, SIZE), bary.reshape(SIZE, SIZE, 3)

    def landmarks(self, mesh: FaceMesh) -> tuple[np.ndarray, np.ndarray]:
        """(places (views, 478, 3), trust (views, 478)) of MediaPipe's landmarks; trust 0: not seen, or not on skin."""
        places, trust = [], []
        normals = vertex_normals(self.points, self.faces)
        for yaw in YAWS_DEG:
            picture, face, bary = self.look(yaw)
            found = mesh.points(picture)
            if len(found) != 1:
                raise RuntimeError(f"expected one face on the neutral head turned by {yaw} degrees, got {len(found)}")
            column, row = np.clip(found[0][:, :2].astype(int), 0, SIZE - 1).T
            corner = self.faces[face[row, column]]
            place = np.einsum("nk,nki->ni", bary[row, column], self.points[corner])
            normal = np.einsum("nk,nki->ni", bary[row, column], normals[corner])
            view = Rotation.from_euler("y", -yaw, degrees=True).apply([0, 0, 1])
            weight = np.clip(normal @ view - 0.25, 0, 1) ** 2 * (face[row, column] >= 0) * self.skin[corner].all(1)
            places.append(place)
            trust.append(weight)
        return np.stack(places), np.stack(trust)


def _paint_eye(colour: np.ndarray, points: np.ndarray, eye: np.ndarray) -> None:
    """Colour an eyeball's vertices (n,) white, its iris dark."""
    low, high = points[eye].min(0), points[eye].max(0)
    local = (points[eye] - (low + high) / 2) / ((high[0] - low[0]) / 2)
    iris = (np.hypot(local[:, 0], local[:, 1]) < 0.5) & (local[:, 2] > 0)
    colour[eye] = np.where(iris[:, None], IRIS, WHITE)


def ict_head() -> tuple[Head, np.ndarray]:
    """(ICT's neutral head in metres, where its origin lies in metres)."""
    ict = load_ict()
    points = ict.neutral * 0.01
    middle = points[:6706].mean(0)
    kept = (ict.faces < 11248).all(1) | ((ict.faces >= 21451) & (ict.faces < 24591)).all(1)
    colour = np.tile(SKIN, (len(points), 1))
    every = np.arange(len(points))
    lips = Delaunay(points[list(ICT_LIPS), :2]).find_simplex(points[:, :2]) >= 0
    colour[lips & (every < 9409) & (points[:, 2] > 0.08)] = LIPS
    for eye in ICT_EYES:
        _paint_eye(colour, points, every[eye])
    return Head(points - middle, ict.faces[kept], colour, every < 9409), middle


def anny_head() -> tuple[Head, np.ndarray]:
    """(Anny's template head in metres, where its origin lies in metres)."""
    model = body()
    points = model.template
    middle = np.array([0, 0.70, 0.11])
    inside = (model.faces < BODY.stop).all(1) | ((model.faces >= EYES.start) & (model.faces < EYES.stop)).all(1)
    colour = np.tile(SKIN, (len(points), 1))
    lips = (np.hypot(points[:, 0] / 0.026, (points[:, 1] - 0.664) / 0.0105) < 1) & (points[:, 2] > 0.135)
    colour[lips] = LIPS
    every = np.arange(len(points))
    for side in (-1, 1):
        _paint_eye(colour, points, every[EYES][points[EYES, 0] * side > 0])
    skin = (every < BODY.stop) & (points[:, 1] > 0.58)
    return Head(points - middle, model.faces[inside], colour, skin), middle


def find() -> tuple[np.ndarray, np.ndarray]:
    """(ICT's points (n, 3) centimetres, Anny's template's points (n, 3) metres): the same places of both faces."""
    mesh = FaceMesh(assets.root() / "models" / "face_landmarker.task")
    (ict, ict_middle), (anny, anny_middle) = ict_head(), anny_head()
    (a, trust_a), (b, trust_b) = ict.landmarks(mesh), anny.landmarks(mesh)
    mesh.close()
    trust = np.minimum(trust_a, trust_b)  # a view counts for both heads alike
    good = trust.max(0) > 0.05
    trust = (trust / np.maximum(trust.sum(0), 1e-9))[..., None]
    a, b = (a * trust).sum(0)[good] + ict_middle, (b * trust).sum(0)[good] + anny_middle
    linear, offset = similarity(a, b)
    near = np.linalg.norm(a @ linear.T + offset - b, axis=1) < FAR_M
    return a[near] * 100, b[near]


def left_out_mm(source: np.ndarray, target: np.ndarray, folds: int = 5) -> np.ndarray:
    """(n,) millimetres by which a warp fitted without a fifth of the pairs misses that fifth."""
    fold = np.arange(len(source)) % folds
    error = np.zeros(len(source))
    for k in range(folds):
        out = fold == k
        error[out] = np.linalg.norm(fit_warp(source[~out], target[~out])(source[out]) - target[out], axis=1)
    return 1000 * error


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=LANDMARKS, help="file to write, .npz")
    arguments = parser.parse_args()
    ict, anny = find()
    np.savez(arguments.out, ict=ict.astype(np.float32), anny=anny.astype(np.float32))
    middle, most, worst = np.percentile(left_out_mm(ict, anny), [50, 90, 100])
    print(f"{len(ict)} places in {arguments.out}; left out: median {middle:.2f}, 90 % {most:.2f}, worst {worst:.2f} mm")


if __name__ == "__main__":
    main()
