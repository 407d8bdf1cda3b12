"""The real command line with the shipped fakes in place of network and light: ``python -m tests.pipelines.with_fakes``.

LIVELIGHT_TEST_STEP_S makes each step take so many seconds, so that a signal arrives in mid-clip. LIVELIGHT_TEST_HANG
names a stage of ``livelight run`` (source, engine, light, step or sink) that never returns and cannot be interrupted,
LIVELIGHT_TEST_FAIL one (step or sink) that raises.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import livelight.control
import livelight.light_program
import livelight.relight
import livelight.sinks.tee
import livelight.sources.synthetic
from livelight.errors import RuntimeFailure
from livelight.fakes import IdentityRelighter, WhiteRoom
from livelight.sinks.tee import TeeSink
from livelight.sources.synthetic import SyntheticSource
from pipelines import cli


def hang(stage: str) -> None:
    """If the environment says so, hold this thread as native code would: signals and exceptions do not get in."""
    if os.environ.get("LIVELIGHT_TEST_HANG") == stage:
        print(f"hanging in {stage}", flush=True)
        while True:
            try:
                threading.Event().wait()
            except BaseException:
                continue


def fail(stage: str) -> None:
    if os.environ.get("LIVELIGHT_TEST_FAIL") == stage:
        raise RuntimeFailure(f"The {stage} has failed.")


class SlowIdentity(IdentityRelighter):
    def step(self, frame, light, state):
        if frame.pts > 3:  # not while it warms up
            hang("step")
            fail("step")
        time.sleep(float(os.environ.get("LIVELIGHT_TEST_STEP_S", "0")))
        return super().step(frame, light, state)


def _relighter(settings):
    hang("engine")
    return SlowIdentity()


def _lighting(control, notice):
    hang("light")
    return WhiteRoom()


class HangingPattern(SyntheticSource):
    def image(self, index):
        if index > 3:  # not while it is tried out
            hang("source")
        return super().image(index)


class HangingTee(TeeSink):
    def write(self, frame):
        hang("sink")
        fail("sink")
        super().write(frame)


def install(put: Callable[[object, str, object], None] = setattr) -> None:
    """Let the command line find the fakes where it looks for the real thing."""
    put(livelight.relight, "build_relighter", _relighter)
    put(livelight.light_program, "build_lighting", lambda settings, clip_duration_s: WhiteRoom())
    put(livelight.control, "LiveLighting", _lighting)
    put(livelight.sources.synthetic, "SyntheticSource", HangingPattern)
    put(livelight.sinks.tee, "TeeSink", HangingTee)


if __name__ == "__main__":
    install()
    cli.main()
