"""What each arithmetic of the GPU path costs in quality, measured on the CPU against float32.

python -m training.precisions --data DIR [--model live] [--clips 20] [--precision int8]

Rendered clips of the test split, which no training and no calibration saw, through the graphs that TensorRT compiles,
run by ONNX Runtime, states going from frame to frame. PSNR of whole pictures and of the person alone; "patch": the
largest difference of the means of 16 x 16 pixels, in levels of 255.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from livelight.lighting import Light
from livelight.relight import model_path, network_size
from livelight.runtimes.live_inputs import PICTURE, STATES, knobs
from training.calibrate import CROP, FRAMES
from training.held_out import HeldOutClip, held_out_clips
from trt_engines.export import export
from trt_engines.spec import GraphSpec, Precision

F32 = NDArray[np.float32]
CHOICES: tuple[Precision, ...] = ("fp16", "int8", "fp8")
"""ONNX Runtime has no convolution in bfloat16 on the CPU."""


def opened(weights: Path, precision: Precision) -> onnxruntime.InferenceSession:
    """The live path for clips of CROP x CROP."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    model = export(weights, GraphSpec(CROP, CROP, precision), (12, 0))
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def relit(session: onnxruntime.InferenceSession, clip: HeldOutClip) -> Iterator[F32]:
    """Each frame of a clip under its target light, before its own room, float32 (h, w, 3) in 0..255."""
    light = Light(clip["target_light"], None, 0.0, 1.0, np.ones(3, np.float32))
    shapes = {i.name: i.shape for i in session.get_inputs()}
    states = {name: np.zeros([1, *shapes[name][1:]], np.float32) for name in STATES}
    outputs = [PICTURE, *STATES.values()]
    for number, (picture, alpha) in enumerate(zip(clip["image"], clip["alpha"], strict=True)):
        frame = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
        feeds = {
            "frame": frame[None],
            "coarse": cv2.resize(alpha, network_size(CROP, CROP))[None],
            "light": light.code[None],
            "knobs": knobs(light, CROP, light.code if number else None)[None],
            "backdrop": frame[None],
        }
        made, *after = session.run(outputs, feeds | states)
        states = dict(zip(STATES, after, strict=True))
        yield made[0].astype(np.float32)


def psnr_db(gap: F32) -> float:
    """Of differences in levels; 99 where there is none."""
    return float(min(10 * np.log10(255**2 / max(float((gap**2).mean()), 1e-6)), 99.0))


def patch_levels(gap: F32) -> float:
    """Largest magnitude of the mean difference of 16 x 16 pixels."""
    means = gap.reshape(CROP // 16, 16, CROP // 16, 16, 3).mean((1, 3))
    return float(np.abs(means).max())


def distances(true: list[list[F32]], ours: list[list[F32]], clips: list[HeldOutClip]) -> NDArray[np.float64]:
    """(frames, 3): PSNR of the whole picture, PSNR of the person, patch_levels."""
    rows = []
    for clip, *pictures in zip(clips, true, ours, strict=True):
        for alpha, a, b in zip(clip["alpha"], *pictures, strict=True):
            gap = b - a
            rows.append((psnr_db(gap), psnr_db(gap[alpha[..., 0] > 0.5]), patch_levels(gap)))
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of rendered clips")
    parser.add_argument("--model", default="live")
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--precision", choices=CHOICES, action="append", help="again for each; all if none is given")
    args = parser.parse_args()
    weights = model_path(args.model)
    clips = list(islice(held_out_clips(args.data, "test", 1, CROP, FRAMES), args.clips))
    session = opened(weights, "fp32")
    true = [list(relit(session, clip)) for clip in clips]
    print(f"{len(clips) * FRAMES} frames of the test split, {CROP} x {CROP}\n")
    print("| precision | whole, worst dB | median | person, worst dB | median | patch, worst | median |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for precision in args.precision or CHOICES:
        session = opened(weights, precision)
        rows = distances(true, [list(relit(session, clip)) for clip in clips], clips)
        worst = (*rows[:, :2].min(0), rows[:, 2].max())
        figures = (x for pair in zip(worst, np.median(rows, axis=0), strict=True) for x in pair)
        print(f"| {precision} | {' | '.join(f'{x:.1f}' for x in figures)} |", flush=True)


if __name__ == "__main__":
    main()
