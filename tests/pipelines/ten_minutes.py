"""By hand: ten minutes of video through ``livelight relight``, its memory every ten seconds.

    python -m tests.pipelines.ten_minutes [CLIP] [--fakes]

CLIP (default: the demo clip) is repeated by packet copy until it lasts ten minutes. --fakes leaves the network out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

import pipelines.demo

LENGTH_S = 600


def repeat(clip: Path, target: Path, length_s: float) -> None:
    """Write ``clip`` again and again into ``target``, without decoding it, until ``length_s`` is reached."""
    with av.open(str(clip)) as source:
        period_s = source.duration / av.time_base
        with av.open(str(target), "w") as output:
            targets = {s.index: output.add_stream_from_template(s, opaque=True) for s in source.streams}
            for turn in range(round(length_s / period_s)):
                source.seek(0)
                for packet in source.demux():
                    if packet.dts is None or packet.pts < 0:
                        continue
                    shift = round(turn * period_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = targets[packet.stream.index]
                    output.mux(packet)


def watch(command: list[str]) -> None:
    """Run ``command`` and print its resident memory (Linux) until it ends."""
    started = time.monotonic()
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while run.poll() is None:
        status = Path(f"/proc/{run.pid}/status").read_text()
        resident_kb = next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")), "0")
        print(f"{time.monotonic() - started:6.0f} s {int(resident_kb) / 1024:8.1f} MB", flush=True)
        time.sleep(10)
    print(f"exit status {run.returncode} after {time.monotonic() - started:.0f} s")


def main() -> None:
    arguments = [a for a in sys.argv[1:] if a != "--fakes"]
    module = "tests.pipelines.with_fakes" if "--fakes" in sys.argv else "pipelines.cli"
    with tempfile.TemporaryDirectory() as folder:
        clip, result = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        repeat(Path(arguments[0]) if arguments else pipelines.demo.CLIP, clip, LENGTH_S)
        code = f"import runpy; runpy.run_module({module!r}, run_name='__main__')"
        if module == "pipelines.cli":
            code = "from pipelines.cli import main; main()"
        watch([sys.executable, "-c", code, "relight", str(clip), "-o", str(result), "-q"])


if __name__ == "__main__":
    main()
