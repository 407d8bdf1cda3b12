"""The Ray driver on a local cluster of two workers, one of which is killed in mid-run."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from training.light_stage import render
from training.light_stage.cluster import ClusterError, run_on_cluster

BACKSTOP_S = 600
JOBS = 3


def busy(job: tuple[Path, int]) -> tuple[int, float, str]:
    """A job that leaves its process id, and its result; the first waits for the other's word to go on."""
    folder, seed = job
    with (folder / f"{seed}.pid").open("a") as file:
        file.write(f"{os.getpid()}\n")
    if seed == 0:
        wait_until((folder / "killed").exists)
    (folder / f"{seed}.done").touch()
    return seed, 1.0, ""


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BACKSTOP_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_worker_s_job_is_done_again(tmp_path, ray_of_two):
    started = tmp_path / "0.pid"

    def tries() -> list[str]:
        return started.read_text().split() if started.exists() else []

    outcomes = run_on_cluster(busy, [(tmp_path, seed) for seed in range(JOBS)], "auto")
    seen = [next(outcomes)]  # job 0 holds one worker until it is told; the other has done a job
    wait_until(lambda: len(tries()) == 1)
    os.kill(int(tries()[0]), signal.SIGKILL)
    wait_until(lambda: len(tries()) == 2)
    (tmp_path / "killed").touch()
    seen += outcomes
    assert sorted(seed for seed, _, _ in seen) == list(range(JOBS))
    assert [fault for _, _, fault in seen if fault] == []
    assert tries()[0] != tries()[1]
    assert len(tries()) == 2
    assert len(list(tmp_path.glob("*.done"))) == JOBS
    assert ray_of_two.is_initialized()  # a connection that was there before stays


def test_without_ray_the_command_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install 'livelight\[cluster\]'"):
        next(run_on_cluster(busy, [(tmp_path, 0)]))
    monkeypatch.setattr(sys, "argv", ["render", "--out", str(tmp_path), "--clips", "1", "--cluster"])
    with pytest.raises(SystemExit, match="error: rendering on a cluster needs Ray"):
        render.main()
