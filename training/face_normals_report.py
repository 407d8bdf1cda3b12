"""How right the network's normals of real faces are, against MediaPipe's face mesh.

python -m training.face_normals_report CLIP... [--model MODEL.onnx ...] [--frames 20]

Per model and clip: the mean angle between the two, and the slopes of the regression of the network's normals on the
mesh's, in x (right) and y (up). A slope under 1 means a face that is too flat, and every new light too weak. The mesh
is no truth, but its faces are round. Clips that taught the network (training.real_clips) judge it too kindly.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.config import LightSettings, RelightSettings
from livelight.frame import Frame
from livelight.light_program import build_lighting
from livelight.lighting import Light
from livelight.relight import Relighter, State, build_relighter, model_path
from training.face_normals import FaceMesh
from training.light_stage.assets import root
from training.look import frames

F32 = NDArray[np.float32]


def compared(network: F32, mesh: F32) -> dict[str, float]:
    """Mean angle in degrees and regression slopes of unit normals (n, 3) on the mesh's (n, 3)."""
    angle = np.degrees(np.arccos(np.clip((network * mesh).sum(1), -1, 1)))
    slopes = [float(np.polyfit(mesh[:, axis], network[:, axis], 1)[0]) for axis in (0, 1)]
    return {"angle_deg": float(angle.mean()), "slope_x": slopes[0], "slope_y": slopes[1], "pixels": len(mesh)}


def face_pixels(relighter: Relighter, mesh: FaceMesh, shots: list[Frame], light: Light) -> tuple[F32, F32]:
    """Normals (n, 3) of the network and of the mesh at the network's pixels on the faces of every fifth frame."""
    pairs: list[tuple[F32, F32]] = []
    state: State | None = None
    for k, shot in enumerate(shots):
        _, state = relighter.step(shot, light, state)
        assert relighter.inside is not None
        if k % 5 != 4:
            continue
        found, alpha = relighter.inside.output.normals, relighter.inside.alpha
        size = (found.shape[1], found.shape[0])
        true = cv2.resize(mesh.normals(shot.image, alpha), size, interpolation=cv2.INTER_AREA)
        length = np.linalg.norm(true, axis=2)
        whole = length > 0.9
        pairs.append((found[whole], true[whole] / length[whole][:, None]))
    network, shape = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return network, shape


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--model", type=model_path, nargs="*", default=[model_path("live")])
    parser.add_argument("--frames", type=int, default=20, help="frames a clip, 5 or more")
    parser.add_argument("--skip", type=int, default=20)
    args = parser.parse_args()
    light = build_lighting(LightSettings(), None).at(0.0, 16, 16)
    mesh = FaceMesh(root() / "models" / "face_landmarker.task")
    print("| model | clip | mean angle, degrees | slope in x | slope in y | pixels |\n|" + " --- |" * 6)
    for path in args.model:
        relighter = build_relighter(RelightSettings(model=str(path)))
        for clip in args.clips:
            network, shape = face_pixels(relighter, mesh, frames(clip, args.frames, args.skip), light)
            if len(shape) < 100:
                print(f"| {path.stem} | {clip.stem} | no face found | - | - | {len(shape)} |")
                continue
            f = compared(network, shape)
            cells = f"{f['angle_deg']:.1f} | {f['slope_x']:.2f} | {f['slope_y']:.2f} | {f['pixels']}"
            print(f"| {path.stem} | {clip.stem} | {cells} |", flush=True)
    mesh.close()


if __name__ == "__main__":
    main()
