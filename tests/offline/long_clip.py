"""By hand: is memory constant in a clip's length? ``python -m tests.offline.long_clip [--seconds 10 60] [--out FILE]``.

Repeats the demo clip at 1280x720 for so many seconds and runs ``livelight relight --model diffusion`` on it, a process
for each length; samples its resident memory every half second. Prints seconds, frames a second and memory: the median
while it works, and the highest. Sixty seconds of video take about eight minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
import psutil

import pipelines.demo
from pipelines.bench import cpu_name

SIZE, RATE, PROGRAM = (1280, 720), 30, "from pipelines.cli import main; main()"


def make_clip(target: Path, seconds: float) -> int:
    """Write a clip of so many seconds; the number of its frames."""
    count = round(seconds * RATE)
    with av.open(str(pipelines.demo.CLIP)) as source:
        pictures = [frame.reformat(*SIZE, "yuv420p") for frame in islice(source.decode(video=0), 3 * RATE)]
    with av.open(str(target), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index, picture in enumerate(islice(cycle([*pictures, *reversed(pictures)]), count)):
            picture.pts, picture.time_base, picture.pict_type = index, Fraction(1, RATE), 0
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return count


def watched(command: list[str]) -> tuple[float, list[float]]:
    """Seconds that the command took, and its resident memory in MB every half second."""
    started_s, memory = time.monotonic(), []
    process = psutil.Popen(command)
    while process.poll() is None:
        try:
            memory.append(process.memory_info().rss / 1e6)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.5)
    if process.wait():
        raise SystemExit(f"livelight ended with status {process.returncode}")
    return time.monotonic() - started_s, memory


def measured(folder: Path, seconds: float) -> dict:
    """One row."""
    clip = folder / f"{seconds:g}.mp4"
    frames = make_clip(clip, seconds)
    files = ["relight", str(clip), "-o", str(folder / f"relit{seconds:g}.mp4")]
    took_s, memory = watched([sys.executable, "-c", PROGRAM, *files, "--model", "diffusion", "--env", "neon"])
    return {
        "clip_s": seconds,
        "frames": frames,
        "took_s": round(took_s, 1),
        "frames_a_second": round(frames / took_s, 2),
        "median_mb": round(statistics.median(memory)),
        "highest_mb": round(max(memory)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[10.0, 60.0])
    parser.add_argument("--out", type=Path, help="write the figures here, as JSON")
    chosen = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seconds in chosen.seconds:
            rows.append(measured(Path(folder), seconds))
            print(json.dumps(rows[-1]), flush=True)
    if chosen.out:
        report = {"cpu": cpu_name(), "cores": psutil.cpu_count(), "picture": "1280x720 at 30", "rows": rows}
        chosen.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
