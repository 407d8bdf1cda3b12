"""Render clips: python -m training.light_stage.render --out DIR --clips N --frames T --size 256 --seed S --workers 2

Resumable: clips that are there and whole are skipped, broken ones are made again; a killed run loses at most the
clips in work. With --cluster [ADDRESS] the clips are tasks of a Ray cluster whose machines share DIR.
"""

import argparse
import multiprocessing
import sys
import time
import traceback
from collections.abc import Iterator
from functools import lru_cache
from itertools import count, islice
from pathlib import Path

from training.light_stage.splits import split_of_seed

Job = tuple[Path, int, int, int, bool]
"""Folder, seed, frames, pixels a side, whether it is a close-up."""
Outcome = tuple[int, float, str]
"""Seed, seconds, fault or ''."""


def clip_path(out: Path, seed: int) -> Path:
    """File of one clip."""
    return out / f"clip_{seed:06d}.npz"


def render_one(job: Job) -> Outcome:
    """Render one clip unless a whole one is there. Returns (seed, seconds, fault or '')."""
    from training.light_stage.clip import is_good, save_clip
    from training.light_stage.stage import render_clip

    out, seed, frames, size, close = job
    path = clip_path(out, seed)
    if is_good(path):
        return seed, 0.0, ""
    start = time.monotonic()
    try:
        save_clip(path, render_clip(seed, frames, size, close))
    except Exception:  # one bad person must not end a run of hundreds; the fault is reported and counted
        return seed, time.monotonic() - start, traceback.format_exc()
    return seed, time.monotonic() - start, ""


def render_task(job: Job) -> Outcome:
    """`render_one` in a process that nobody prepared, such as a cluster's worker."""
    _start_worker()
    return render_one(job)


def prepare_process() -> None:
    """One thread for each library: clips are spread over processes."""
    import cv2
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(1)
    threadpool_limits(1)


@lru_cache(maxsize=1)
def _start_worker() -> None:
    from training.light_stage.scene import process_priority

    process_priority()
    prepare_process()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the clips")
    parser.add_argument("--clips", type=int, default=400, help="number of clips")
    parser.add_argument("--frames", type=int, default=4, help="frames a clip, at 30 fps")
    parser.add_argument("--size", type=int, default=256, help="height and width in pixels")
    parser.add_argument("--close", action="store_true", help="close-ups: the head about as high as the picture")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first clip; the others follow")
    parser.add_argument("--split", choices=["train", "val", "test"], help="leave out the seeds of other splits")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument(
        "--cluster", nargs="?", const="local", metavar="ADDRESS",
        help="render with Ray: host:port of a cluster, auto for the one this machine is in, nothing to start one here",
    )  # fmt: skip
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    seeds = seeds_of(arguments.seed, arguments.clips, arguments.split)
    jobs = [(arguments.out, seed, arguments.frames, arguments.size, arguments.close) for seed in seeds]
    from training.light_stage.cluster import ClusterError, run_on_cluster

    local = arguments.cluster is None
    outcomes = _locally(jobs, arguments.workers) if local else run_on_cluster(render_task, jobs, arguments.cluster)
    start, faults = time.monotonic(), 0
    try:
        for done, (seed, seconds, fault) in enumerate(outcomes, 1):
            faults += bool(fault)
            text = f"fault:\n{fault}" if fault else f"{seconds:.1f} s"
            print(f"[{time.monotonic() - start:7.0f} s] {done}/{len(jobs)} clip {seed}: {text}", flush=True)
    except ClusterError as error:
        sys.exit(f"error: {error}")
    print(f"{len(jobs) - faults} clips whole, {faults} faults, {time.monotonic() - start:.0f} s")


def seeds_of(first: int, clips: int, split: str | None = None) -> list[int]:
    """The first `clips` seeds from `first` on, of one split (training.light_stage.splits) or of all."""
    return list(islice((s for s in count(first) if split in (None, split_of_seed(s))), clips))


def _locally(jobs: list, workers: int) -> Iterator[Outcome]:
    """The jobs' outcomes from processes of this machine."""
    with multiprocessing.get_context("spawn").Pool(workers, _start_worker, maxtasksperchild=60) as pool:
        yield from pool.imap_unordered(render_one, jobs)


if __name__ == "__main__":
    main()
