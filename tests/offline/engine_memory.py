"""Memory that our own diffusion model's engine takes, by pixels of a window: ``python -m tests.offline.engine_memory``.

For each window a process of its own opens the shipped weights and runs a window twice; its highest resident memory,
less what it held before, is what the engine took. Prints the points, and the line through them that offline.own_model
uses (FIXED_BYTES, BYTES_PER_PIXEL).
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

WINDOWS = (((192, 112), 4), ((336, 192), 4), ((336, 192), 8), ((336, 192), 16), ((256, 256), 24), ((336, 192), 32))
"""(width, height) of the network's picture (336x192 for a clip of 16:9) and frames of a window."""


def held(field: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM at the highest."""
    with open("/proc/self/status") as file:
        rows = dict(line.split(":", 1) for line in file)
    return int(rows[field].split()[0]) * 1024


def taken(width: int, height: int, frames: int) -> int:
    """Bytes that opening and two runs added at the highest, in this process."""
    import openvino  # noqa: F401  (its libraries are there in any case: only what the model adds is counted)

    from offline.own_model import open_own_model
    from offline.settings import DiffusionSettings

    before = held("VmRSS")
    settings = DiffusionSettings(window=frames, overlap=min(6, frames - 1), device="cpu")
    open_own_model(settings, (width, height)).speed()
    return held("VmHWM") - before


def main() -> None:
    points = []
    for (width, height), frames in WINDOWS:
        command = [sys.executable, "-m", "tests.offline.engine_memory", str(width), str(height), str(frames)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        points.append((width * height * frames, int(done.stdout)))
        print(json.dumps({"frames": frames, "size": f"{width}x{height}", "mb": round(points[-1][1] / 1e6)}), flush=True)
    slope, fixed = np.polyfit(*zip(*points, strict=True), 1)
    worst = max(abs(fixed + slope * pixels - taken) / taken for pixels, taken in points)
    print(f"{fixed / 1e6:.0f} MB and {slope:.0f} bytes a pixel and frame (MB a megapixel); worst {worst:.0%} off")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(taken(*map(int, sys.argv[1:])))
    else:
        main()
