"""How soon ``livelight run`` is gone after a signal, running and with a stage that hangs in native code.

``python -m tests.pipelines.exit_times`` prints one line for each stage and signal; it asserts nothing, since speed
depends on the machine.
"""

from __future__ import annotations

import signal
import time

from tests.pipelines.test_run import started


def main() -> None:
    for stage in ("", "source", "engine", "light", "step", "sink"):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            process = started("--sink", "none", "--always", hang=stage)
            time.sleep(0.5)
            sent_s = time.monotonic()
            process.send_signal(number)
            process.communicate(timeout=120)
            what = f"{stage} hangs" if stage else "running"
            print(f"{what}, {number.name}: {time.monotonic() - sent_s:.2f} s, status {process.returncode}", flush=True)


if __name__ == "__main__":
    main()
