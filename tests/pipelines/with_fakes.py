"""The real command line with the shipped fakes in place of network and light: ``python -m tests.pipelines.with_fakes``.

LIVELIGHT_TEST_STEP_S makes each step take so many seconds, so that a signal arrives in mid-clip.
"""

from __future__ import annotations

import os
import time

import livelight.light_program
import livelight.relight
from livelight.fakes import IdentityRelighter, WhiteRoom
from pipelines import cli


class SlowIdentity(IdentityRelighter):
    def step(self, frame, light, state):
        time.sleep(float(os.environ.get("LIVELIGHT_TEST_STEP_S", "0")))
        return super().step(frame, light, state)


def install() -> None:
    """Let the command line find the fakes where it looks for the real thing."""
    livelight.relight.build_relighter = lambda settings: SlowIdentity()
    livelight.light_program.build_lighting = lambda settings, clip_duration_s: WhiteRoom()


if __name__ == "__main__":
    install()
    cli.main()
