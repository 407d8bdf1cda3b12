"""Rendering on many machines with Ray: the same jobs as the local pool, retried when a worker or a machine dies.

The output folder must be one that all machines share; a clip that is there and whole is not rendered again, so a run
that is started anew goes on where the last one stopped.
"""

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

Job = TypeVar("Job")
RETRIES = 4


class ClusterError(RuntimeError):
    """Ray is missing or no cluster answers."""


def run_on_cluster(
    work: Callable[[Job], tuple[int, float, str]], jobs: list[Job], address: str = "local", retries: int = RETRIES
) -> Iterator[tuple[int, float, str]]:
    """Yield work(job) of each job as they end, in any order; one CPU each.

    address: "local" starts Ray here with all CPUs, "auto" joins the cluster this machine belongs to, else host:port.
    If this program is connected to Ray already, that connection serves, and stays.
    A job whose worker dies is started again up to `retries` times, then yields (its index in jobs, 0.0, the reason).
    Jobs wait here, two to a CPU in the cluster at most. Raises ClusterError.
    """
    ray, ours = _connected(address)
    task = ray.remote(num_cpus=1, max_retries=retries)(work)
    limit = max(2, 2 * int(ray.cluster_resources().get("CPU", 1)))
    waiting = iter(enumerate(jobs))
    running: dict = {}
    try:
        while True:
            while len(running) < limit and (entry := next(waiting, None)) is not None:
                running[task.remote(entry[1])] = entry[0]
            if not running:
                return
            for done in ray.wait(list(running), num_returns=1)[0]:
                index = running.pop(done)
                try:
                    yield ray.get(done)
                except ray.exceptions.RayError as error:  # retried in vain: reported like any other fault
                    yield index, 0.0, f"{type(error).__name__}: {error}"
    finally:
        for left in running:
            ray.cancel(left, force=True)
        if ours:
            ray.shutdown()


def _connected(address: str):
    """(the ray module, connected; whether the connection was made here)."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ClusterError("rendering on a cluster needs Ray; run pip install 'livelight[cluster]'") from error
    if ray.is_initialized():  # by the program that called
        return ray, False
    try:
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except ConnectionError as error:
        raise ClusterError(f"no Ray cluster answers at {address!r}; start one with ray start --head") from error
    return ray, True
