"""How well the emulated LED cube reproduces environments: figures and a contact sheet.

python -m training.light_stage.led_sheet --clips DIR --out DIR [--count 4]

Each row: the person in the true environment, in the cube, 0.5 + 4 times the difference of sRGB codes, and the same
person rebuilt from a time-multiplexed recording with its difference. Writes led_cube.md,
led_cube.json and led_cube.png.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from training.light_stage.assets import linear_to_srgb
from training.light_stage.clip import load_clip
from training.light_stage.compare_mitsuba import psnr
from training.light_stage.directions import BASIS
from training.light_stage.led_cube import LedCube, rebuilt, recording
from training.light_stage.lights import Panoramas, average, exposed
from training.light_stage.splits import panoramas_of

PERFECT = LedCube(half_m=50.0, peak=1e6, bits=24, crosstalk=0.0, spread=0.0, falloff=0.0, hole_m=0.0, leds=96)
"""A cube so large and good that only the sampling of directions is left; each fault is then added on its own."""
LADDER = {
    "far, perfect panels": PERFECT,
    "near field (2.4 m cube)": replace(PERFECT, half_m=1.2),
    "48 LEDs an edge, camera's hole": replace(PERFECT, half_m=1.2, leds=48, hole_m=0.1),
    "range of 24, 10 bits": replace(PERFECT, half_m=1.2, leds=48, hole_m=0.1, peak=24.0, bits=10),
    "colours, panel spread, falloff": LedCube(),
}


def measure(path: Path, panoramas: list[np.ndarray], cube: LedCube) -> tuple[dict[str, float], np.ndarray]:
    """Figures in dB for the first panorama, and a row of pictures (h, 5 w, 3)."""
    clip = load_clip(path)
    pictures, pattern = recording(clip, cube, panoramas)
    instants = rebuilt(pictures, pattern, len(panoramas))
    start = next(iter(instants))
    true = clip.relight(average(panoramas[0], BASIS, BASIS))[start]
    person = clip.alpha[start] > 0.5
    out = {
        name: psnr(step.relight(clip, start, step.drive(panoramas[0])), true, person) for name, step in LADDER.items()
    }
    again = instants[start][0]
    out["rebuilt from the recording"] = psnr(again, true, person)
    still = pictures[start + 1]
    out["recording, motion ignored"] = psnr(still, true, person)
    lit = cube.relight(clip, start, cube.drive(panoramas[0]))
    shown = [linear_to_srgb(p) for p in (true, lit, again)]
    ground = (1 - clip.alpha[start][..., None]) * 0.5
    shown = [np.clip(s + ground, 0, 1) for s in shown]
    faults = [np.clip(0.5 + 4 * (s - shown[0]), 0, 1) for s in shown[1:]]
    return out, np.concatenate([shown[0], shown[1], faults[0], shown[2], faults[1]], axis=1)


def table(rows: list[dict[str, float]]) -> str:
    """Markdown: mean and worst PSNR of each step."""
    lines = ["| step | mean PSNR (dB) | worst |", "|---|---|---|"]
    for name in rows[0]:
        values = [r[name] for r in rows]
        lines.append(f"| {name} | {np.mean(values):.1f} | {min(values):.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True, help="folder of clips of at least 4 frames")
    parser.add_argument("--out", type=Path, required=True, help="folder for the table and the sheet")
    parser.add_argument("--count", type=int, default=4, help="clips, one row each")
    parser.add_argument("--seed", type=int, default=0, help="which panoramas, turned how far")
    arguments = parser.parse_args()
    files = sorted(arguments.clips.glob("clip_*.npz"))
    if not files:
        parser.error(f"no clips in {arguments.clips}; run training.light_stage.render first")
    arguments.out.mkdir(parents=True, exist_ok=True)
    rng, source = np.random.default_rng(arguments.seed), Panoramas(panoramas_of("train"))
    rows, strips = [], []
    for path in files[:: max(1, len(files) // arguments.count)][: arguments.count]:
        chosen = []
        for index in rng.choice(len(source.files), 2, replace=False):
            panorama = source.turned(int(index), float(rng.uniform(0, 360)))
            code = average(panorama, BASIS, BASIS)
            chosen.append(panorama * float(exposed(code).sum() / max(code.sum(), 1e-6)))
        figures, strip = measure(path, chosen, LedCube())
        print(path.stem, {k: round(v, 1) for k, v in figures.items()}, flush=True)
        rows.append(figures)
        strips.append(strip)
    (arguments.out / "led_cube.json").write_text(json.dumps(rows, indent=1))
    (arguments.out / "led_cube.md").write_text(table(rows) + "\n")
    cv2.imwrite(str(arguments.out / "led_cube.png"), np.rint(np.concatenate(strips)[..., ::-1] * 255).astype(np.uint8))
    print(table(rows))


if __name__ == "__main__":
    main()
