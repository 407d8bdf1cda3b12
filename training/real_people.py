"""Figures on real clips, of which no relit truth exists: what must stay as it was.

python -m training.real_people [CLIP ...] [--model MODEL.onnx ...] [--env NAME ...] [--frames 20] [--out FOLDER]

The whole live path relights every clip (default: the real clips of the shared assets) under every light; a table a
model, and all figures as JSON. On the person, values in [0, 1]: "detail" is the correlation of fine luminance with the
source's; "identity" the cosine of dlib's face vectors, every tenth frame (extra `identity`); "warp" the RMSE between a
relit frame and the one before, along the source's motion, "own" the same of the source itself. What is bright or rich
in contrast has the larger error, though nothing flickers; so "flicker" is how many times the error is that it would be
if gain and offset of the frame before were held along the motion: 1 is none. "matte" is the overlap (intersection over
union) of the network's own matte with MediaPipe's. "face" is the median luminance, linear, of the face under even
white light of radiance 1: what the relighter takes its albedo for. One person has one, whatever they wear and wherever
they sit; skin that Chardon et al. call light has 0.33 to 0.42, intermediate 0.28 to 0.33 (training.light_stage.skin).
It needs MediaPipe and the shared assets' face landmarker.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.color import luminance, srgb_to_linear
from livelight.config import LightSettings, RelightSettings
from livelight.errors import MissingExtra
from livelight.frame import Frame
from livelight.light_program import build_lighting
from livelight.lighting import Light
from livelight.optical_flow import backward_flow
from livelight.picture_metrics import detail_correlation, warp_error, warped
from livelight.relight import Relighter, State, build_relighter, model_path
from livelight.runtimes import NetworkOutput
from livelight.segmenters import open_segmenter
from pipelines.face_identity import FaceIdentity, likeness
from training.evaluate import mean_known
from training.face_normals import FaceMesh
from training.light_stage.assets import root
from training.look import frames
from training.methods import labels

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
ENVS = ("butterfly", "split", "golden-hour", "rim", "neon")
IDENTITY_EVERY = 10
SMALLEST_FACE = 150
"""Pixels."""
COLUMNS = ("detail", "identity", "warp", "own", "flicker", "matte", "face")


def overlap(a: F32, b: F32) -> float:
    """Intersection over union of two mattes (h, w) of one size, cut at one half; 1 where both are empty."""
    first, second = a > 0.5, b > 0.5
    union = int((first | second).sum())
    return float((first & second).sum() / union) if union else 1.0


def unit(picture: U8) -> F32:
    """uint8 -> float32 in [0, 1]."""
    return picture.astype(np.float32) / np.float32(255)


def motions(shots: list[Frame]) -> list[tuple[F32, F32]]:
    """Flow and visibility from every frame but the first back to the one before; see ``backward_flow``."""
    return [backward_flow(a.image, b.image) for a, b in pairwise(shots)]


def figures_under(
    relighter: Relighter, shots: list[Frame], moves: list[tuple[F32, F32]], light: Light, identity: FaceIdentity | None
) -> dict[str, float]:
    """COLUMNS of a clip under one light, and faces_missed; identity is left out where no face was found."""
    found: dict[str, list[float]] = {name: [] for name in COLUMNS}
    missed = 0
    changes: list[Change] = []
    for k, (before, relit, alpha, output) in enumerate(_relit(relighter, shots, light)):
        matte = output.matte
        changes = [*changes[-1:], Change.of(output, alpha.shape)]
        person = (alpha > 0.5).astype(np.float32)
        found["detail"].append(detail_correlation(unit(shots[k].image), unit(relit), person))
        found["matte"].append(overlap(cv2.resize(matte, (alpha.shape[1], alpha.shape[0])), alpha))
        if before is not None:
            flow, seen = moves[k - 1]
            found["warp"].append(warp_error(unit(before), unit(relit), flow, seen * person))
            sources = unit(shots[k - 1].image), unit(shots[k].image)
            found["own"].append(warp_error(*sources, flow, seen * person))
            found["flicker"].append(flicker(sources, (changes[0], changes[1]), flow, seen * person))
        if identity is not None and k % IDENTITY_EVERY == 0:
            faces = identity.of(shots[k].image), identity.of(relit)
            if faces[0] is not None and faces[1] is not None:
                found["identity"].append(likeness(faces[0], faces[1]))
            else:
                missed += 1
    return {name: float(np.mean(values)) for name, values in found.items() if values} | {"faces_missed": missed}


@dataclass(frozen=True)
class Change:
    """The network's answer at a frame's resolution: relit = source * gain + offset, all float32 (h, w, 3) in [0, 1]."""

    gain: F32
    offset: F32

    @classmethod
    def of(cls, output: NetworkOutput, shape: tuple[int, ...]) -> Change:
        """shape: (h, w) of the frame."""
        return cls(*(np.asarray(cv2.resize(x, (shape[1], shape[0]))) for x in (output.gain, output.offset)))

    def along(self, flow: F32) -> Change:
        return Change(warped(self.gain, flow), warped(self.offset, flow))

    def on(self, source: F32) -> F32:
        return np.asarray(np.clip(source * self.gain + self.offset, 0, 1))


def flicker(sources: tuple[F32, F32], changes: tuple[Change, Change], flow: F32, seen: F32) -> float:
    """Warp error of two relit frames, in that which there would be with the first change held along the motion."""
    before = changes[0].on(sources[0])
    held = warp_error(before, changes[0].along(flow).on(sources[1]), flow, seen)
    return warp_error(before, changes[1].on(sources[1]), flow, seen) / max(held, 1e-6)


def face_of(shot: Frame) -> F32:
    """(h, w) in {0, 1}: 1 on the faces of a frame. Raises FileNotFoundError without the assets' face landmarker."""
    matte = cv2.resize(open_segmenter().segment(shot.image), (shot.width, shot.height))
    mesh = FaceMesh(root() / "models" / "face_landmarker.task")
    try:
        return mesh.normals(shot.image, np.asarray(matte)).any(2).astype(np.float32)
    finally:
        mesh.close()


def albedo_taken(relighter: Relighter, shots: list[Frame], face: F32) -> dict[str, float]:
    """ "face" of COLUMNS of the last frame, or nothing where ``face`` (h, w) in {0, 1} has too little of one."""
    if face.sum() < SMALLEST_FACE:
        return {}
    even = Light(np.ones((16, 16, 3), np.float32), None, 0.0, 1.0, np.ones(3, np.float32))
    *_, last = _relit(relighter, shots, even)
    return {"face": float(np.median(luminance(srgb_to_linear(unit(last[1])))[face > 0]))}


def _relit(
    relighter: Relighter, shots: list[Frame], light: Light
) -> Iterator[tuple[U8 | None, U8, F32, NetworkOutput]]:
    """The relit frame before, the relit frame, alpha (h, w) of the live path and the network's whole answer."""
    state: State | None = None
    before = None
    for shot in shots:
        frame, state = relighter.step(shot, light, state)
        assert relighter.inside is not None
        yield before, frame.image, relighter.inside.alpha, relighter.inside.output
        before = frame.image


def mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each of COLUMNS over the rows that have it; faces_missed is summed."""
    means = {name: [row[name] for row in rows if name in row] for name in COLUMNS}
    total = sum(row["faces_missed"] for row in rows)
    return {name: mean_known(values) for name, values in means.items() if values} | {"faces_missed": total}


def table(title: str, rows: dict[str, dict[str, float]]) -> str:
    """A Markdown table, a line per name; "-" where a figure is missing."""
    lines = [f"| {title} | " + " | ".join(COLUMNS) + " | faces missed |", "| --- |" + " --- |" * (len(COLUMNS) + 1)]
    for name, row in rows.items():
        cells = [f"{row[c]:.{4 if c in ('warp', 'own') else 3}f}" if c in row else "-" for c in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {row['faces_missed']:.0f} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--model", type=model_path, nargs="*", default=[model_path("live")])
    parser.add_argument("--env", nargs="*", default=list(ENVS))
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--skip", type=int, default=20)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    clips = args.clips or sorted(p for p in (root() / "clips").iterdir() if p.suffix in (".mp4", ".mkv"))
    identity: FaceIdentity | None = None
    try:
        identity = FaceIdentity()
    except MissingExtra as exc:
        print(f"identity is left out: {exc}")
    lights = {env: build_lighting(LightSettings(env=env), None).at(0.0, 16, 16) for env in args.env}
    relighters = {name: build_relighter(RelightSettings(model=str(path))) for name, path in labels(args.model).items()}
    report: dict[str, dict[str, dict[str, dict[str, float]]]] = {name: {} for name in relighters}
    for clip in clips:
        shots = frames(clip, args.frames, args.skip)
        moves = motions(shots)
        face = face_of(shots[-1])
        for name, relighter in relighters.items():
            taken = albedo_taken(relighter, shots, face)
            report[name][clip.stem] = {
                env: figures_under(relighter, shots, moves, light, identity) | taken for env, light in lights.items()
            }
    texts = []
    for name, by_clip in report.items():
        rows = {clip: mean_of(list(by_env.values())) for clip, by_env in by_clip.items()}
        rows |= {f"all under {env}": mean_of([by_env[env] for by_env in by_clip.values()]) for env in lights}
        texts.append(table(name, rows | {"all": mean_of([f for by_env in by_clip.values() for f in by_env.values()])}))
    print("\n\n".join(texts))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "real_people.md").write_text("\n\n".join(texts) + "\n")
        (args.out / "real_people.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
