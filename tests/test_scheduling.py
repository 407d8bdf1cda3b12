"""Libraries do not turn this process into a real-time one."""

import os
import sys
import threading
from fractions import Fraction
from pathlib import Path

import pytest

from livelight.frame import Frame
from livelight.scheduling import scheduling_kept
from livelight.sinks.file import VideoFileSink
from tests import clips

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sched_setscheduler is Linux's")


def policies() -> set[int]:
    found = set()
    for name in os.listdir("/proc/self/task"):
        try:
            found.add(os.sched_getscheduler(int(name)))
        except ProcessLookupError:
            continue
    return found


def test_what_a_block_changes_is_undone_for_old_threads_and_new():
    end, started = threading.Event(), threading.Event()
    old = threading.Thread(target=end.wait)
    old.start()
    before = policies()

    def new() -> None:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        started.set()
        end.wait()

    fresh = threading.Thread(target=new)
    try:
        with scheduling_kept():
            try:
                os.sched_setscheduler(old.native_id or 0, os.SCHED_FIFO, os.sched_param(1))
            except PermissionError:
                pytest.skip("only root may ask for real-time scheduling")
            fresh.start()
            assert started.wait(120)
            assert os.SCHED_FIFO in policies()
        assert policies() == before
    finally:
        end.set()
        old.join()
        if fresh.ident:
            fresh.join()


def test_writing_av1_leaves_the_process_an_ordinary_one(tmp_path: Path):
    before = policies()
    sink = VideoFileSink(tmp_path / "out.mp4", codec="av1")
    for index in range(2):
        sink.write(Frame(clips.flat((90, 90, 90)), index, Fraction(1, 30), 0.0))
        assert policies() == before
    sink.close()
    assert len(clips.pictures_of(tmp_path / "out.mp4")) == 2
