"""Mitsuba's pictures, kept on disk: a try at our own transport should not cost its paths again."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.light_stage import mitsuba_coat, mitsuba_scene
from training.light_stage.camera import Camera
from training.light_stage.scene import Scene


def _read(scene: Scene, camera: Camera, code: np.ndarray, suns: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[bytes]:
    """Everything that Mitsuba's picture depends on but samples and seed, its own code included."""
    yield Path(mitsuba_scene.__file__).read_bytes()
    yield Path(mitsuba_coat.__file__).read_bytes()
    topology = scene.topology
    arrays = [scene.vertices, scene.normals, topology.faces, topology.face_uv, topology.face_part, code]
    arrays += [np.asarray(x, np.float64) for sun in suns for x in sun]
    arrays += [np.asarray(camera.principal, np.float64), np.float64([*camera.size, camera.focal])]
    for part in topology.parts:
        material = part.material
        arrays.append(np.float64([material.roughness, material.f0, part.layered]))
        arrays += [a for a in (material.texture, material.surface, material.slopes) if a is not None]
    for array in arrays:
        yield str((array.shape, array.dtype)).encode()
        yield np.ascontiguousarray(array).tobytes()


def kept_render(
    folder: Path | None, variant: str, scene: Scene, camera: Camera, code: np.ndarray,
    suns: list[tuple[np.ndarray, np.ndarray]], samples: int, seed: int,
) -> np.ndarray:  # fmt: skip
    """(H, W, 3) float32 of `mitsuba_scene.render`, from `folder` if it is there already; None keeps nothing."""
    key = hashlib.sha256(f"{samples} {seed} {variant}".encode())
    for piece in _read(scene, camera, code, suns):
        key.update(piece)
    path = None if folder is None else folder / f"{key.hexdigest()[:24]}.npy"
    if path is not None and path.exists():
        return np.load(path)
    mi = mitsuba_scene.mitsuba(variant)
    picture = mitsuba_scene.render(mi, scene, camera, code, suns, samples, seed=seed)[0]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.part")
        with temporary.open("wb") as file:
            np.save(file, picture)
        temporary.replace(path)
    return picture
