"""What native libraries print to file descriptor 2 while they load, kept from the user; nothing else is lost."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_NOISE = re.compile(rb"INFO: |WARNING: Logging before|[IW]\d{4} ")
"""How lines begin that the loggers of MediaPipe and TensorFlow Lite write below the rank of an error."""

_turn = threading.Lock()


@contextlib.contextmanager
def native_noise_hidden() -> Iterator[None]:
    """Drop such lines. All else that any thread writes to stderr meanwhile comes out at the end of the block.

    Any thread; one at a time, the others wait, since the descriptor is the whole process's.
    """
    with _turn, contextlib.ExitStack() as stack:
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all: nothing to hide
            yield
            return
        stack.callback(os.close, saved)
        caught = stack.enter_context(tempfile.TemporaryFile())
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            caught.seek(0)
            kept = b"".join(line for line in caught if not _NOISE.match(line))
            with contextlib.suppress(OSError):  # nobody reads stderr any more
                os.write(saved, kept)
