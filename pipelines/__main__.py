"""The console script ``livelight``, also ``python -m pipelines``: Ctrl-C is heard from the first moment on.

Importing the command line takes a while. Until it is there nothing is open or written, and the process ends at once.
"""

from __future__ import annotations

import os
import signal


def main() -> None:
    """As pipelines.cli.main, which never returns. Nothing is imported above that this does not need."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # not ignored, as in the background of a shell
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
    from pipelines.cli import main as command_line

    signal.signal(signal.SIGINT, before)
    command_line()


if __name__ == "__main__":
    main()
