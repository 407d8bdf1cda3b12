"""The Ray driver on a local cluster of two workers, one of which is killed in mid-run."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("ray")

from training.light_stage import render
from training.light_stage.cluster import ClusterError, run_on_cluster


def busy(job: tuple[Path, int]) -> tuple[int, float, str]:
    """A job that leaves its process id, takes its time, and leaves its result."""
    folder, seed = job
    if (folder / f"{seed}.done").exists():
        return seed, 0.0, ""
    with (folder / f"{seed}.pid").open("a") as file:
        file.write(f"{os.getpid()}\n")
    deadline = time.monotonic() + 120
    while seed == 0 and not (folder / "killed").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    (folder / f"{seed}.done").touch()
    return seed, 1.0, ""


def test_a_killed_worker_s_job_is_done_again(tmp_path):
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        outcomes = run_on_cluster(busy, [(tmp_path, seed) for seed in range(6)], "auto")
        seen = [next(outcomes)]  # job 0 holds one worker; the other has done a job
        pid = int((tmp_path / "0.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 120
        while len((tmp_path / "0.pid").read_text().split()) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        (tmp_path / "killed").touch()
        seen += outcomes
    finally:
        ray.shutdown()
    assert sorted(seed for seed, _, _ in seen) == list(range(6))
    assert [fault for _, _, fault in seen if fault] == []
    tries = (tmp_path / "0.pid").read_text().split()
    assert len(tries) == 2
    assert tries[0] != tries[1]
    assert len(list(tmp_path.glob("*.done"))) == 6


def test_without_ray_the_command_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install 'livelight\[cluster\]'"):
        next(run_on_cluster(busy, [(tmp_path, 0)]))
    monkeypatch.setattr(sys, "argv", ["render", "--out", str(tmp_path), "--clips", "1", "--cluster"])
    with pytest.raises(SystemExit, match="error: rendering on a cluster needs Ray"):
        render.main()
