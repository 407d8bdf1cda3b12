"""How fast clips are rendered and relit, and how large they are, by resolution; on one core.

python -m training.light_stage.bench --out DIR [--sizes 128 256 384 512] [--frames 4] [--seeds 3]

Times are of this process's own CPU, so that a busy machine changes them little; what is loaded once a process is left
out. Writes DIR/speed.md and prints it.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from training.light_stage.clip import Clip, load_clip, save_clip
from training.light_stage.footage import Footage, Window
from training.light_stage.lights import Light
from training.light_stage.render import prepare_process

REPEATS = 30


def relight_ms(clip: Clip, lights: list[Light]) -> float:
    """Median time of relighting one whole frame, in ms of CPU, each time under another light."""
    footage = Footage(clip)
    whole, first = Window(0, 1, 0, 0, clip.shape[1]), np.zeros((1, 1), int)
    footage.relight(whole, lights[:1], first)  # compiles
    spent = []
    for k in range(REPEATS):
        start = time.process_time()
        footage.relight(whole, [lights[k % len(lights)]], first)
        spent.append(time.process_time() - start)
    return 1e3 * float(np.median(spent))


def light_kinds(rng: np.random.Generator) -> dict[str, list[Light]]:
    """Lights to relight with, by what they are."""
    code = rng.uniform(0, 1, (16, 16, 3)).astype(np.float32) ** 4
    lamp = (0, np.float32([2.0, 1.8, 1.5]))
    return {
        "environment": [Light(rng.uniform(0, 1, (16, 16, 3)).astype(np.float32)) for _ in range(4)],
        "rotation": [Light(np.roll(code, k, axis=1)) for k in range(16)],
        "point light": [Light(np.zeros_like(code), [lamp])],
    }


def measure(size: int, frames: int, seeds: range) -> dict[str, float]:
    """Figures of clips of `frames` frames, size x size, one a seed."""
    from training.light_stage.stage import render_clip

    spent, stored, times = [], [], []
    for seed in seeds:
        start = time.process_time()
        arrays = render_clip(seed, frames, size)
        spent.append(time.process_time() - start)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip_000000.npz"
            save_clip(path, arrays)
            stored.append(path.stat().st_size)
            clip = load_clip(path)
        times.append({name: relight_ms(clip, some) for name, some in light_kinds(np.random.default_rng(seed)).items()})
    figures = {"frames an hour and core": 3600 * frames * len(spent) / sum(spent)}
    figures["MB a frame"] = sum(stored) / len(stored) / frames / 1e6
    return figures | {f"relit, {name} (ms)": float(np.mean([t[name] for t in times])) for name in times[0]}


def table(rows: dict[int, dict[str, float]]) -> str:
    """Markdown, one row a resolution."""
    names = list(next(iter(rows.values())))
    lines = ["| size | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {size} | " + " | ".join(f"{row[n]:.3g}" if row[n] < 100 else f"{row[n]:.0f}" for n in names) + " |"
              for size, row in rows.items()]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the table")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 384, 512], help="resolutions")
    parser.add_argument("--frames", type=int, default=4, help="frames a clip")
    parser.add_argument("--seeds", type=int, default=3, help="clips a resolution")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    prepare_process()
    measure(64, 1, range(1))  # loads the body and compiles
    rows = {}
    for size in arguments.sizes:
        rows[size] = measure(size, arguments.frames, range(1, 1 + arguments.seeds))
        print(size, {k: round(v, 2) for k, v in rows[size].items()}, flush=True)
    (arguments.out / "speed.md").write_text(table(rows) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
