"""Windows of a clip as Ray tasks: many GPUs or machines, retries when a worker dies, the same result bit for bit.

Within one step windows do not depend on each other; their answers come back in order and are blended as in one
process. The driver keeps the files and the checkpoints, so a killed driver goes on as always.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from livelight.errors import MissingExtra, RuntimeFailure
from offline.clip_run import Answer, Request
from offline.denoiser import F32, Denoiser

RETRIES = 5
"""How often a window is given to another worker after its worker died."""

OpenDenoiser = Callable[[], Denoiser]
"""Opens the denoiser on a worker, once per worker process; must be picklable."""

_opened: dict[str, Denoiser] = {}


def _ray() -> Any:
    try:
        import ray
    except ImportError as exc:
        raise MissingExtra("ray", "cluster", "--cluster") from exc
    return ray


def connect(address: str) -> int:
    """Join the cluster at ``address``, or start one here for "local"; the number of its CPU slots.

    Raises MissingExtra, or RuntimeFailure if it cannot be reached.
    """
    ray = _ray()
    place = {} if address == "local" else {"address": address}
    try:
        if not ray.is_initialized():
            ray.init(**place, include_dashboard=False, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as exc:
        raise RuntimeFailure(
            f"the Ray cluster {address} cannot be reached ({exc}); give its address, or local for one on this machine"
        ) from exc
    return max(int(ray.cluster_resources().get("CPU", 1)), 1)


def gpus_each() -> float:
    """One GPU for each window where the cluster has any, else none."""
    return 1.0 if _ray().cluster_resources().get("GPU", 0) >= 1 else 0.0


def _answer(key: str, open_denoiser: OpenDenoiser, request: Request) -> F32:
    """On a worker: the denoiser is opened at the worker's first window and kept."""
    if key not in _opened:
        _opened.clear()
        _opened[key] = open_denoiser()
    return _opened[key](request.x, request.sigma, request.condition)


def on_cluster(key: str, open_denoiser: OpenDenoiser, ahead: int, gpus: float = 0.0) -> Answer:
    """An Answer that asks Ray's workers; ``ray.init`` has been called.

    key: tells this model from others. ahead: windows under way at once, at most. gpus: of a worker, for each window.
    Raises MissingExtra; RuntimeFailure when a window fails RETRIES times.
    """
    ray = _ray()
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=RETRIES)(_answer)

    def answer(requests: Iterable[Request]) -> Iterator[F32]:
        under_way: deque[Any] = deque()
        stream = iter(requests)
        try:
            for request in stream:
                under_way.append(task.remote(key, open_denoiser, request))
                if len(under_way) >= ahead:
                    yield _collected(ray, under_way.popleft())
            while under_way:
                yield _collected(ray, under_way.popleft())
        finally:
            for reference in under_way:
                ray.cancel(reference, force=True)

    return answer


def _collected(ray: Any, reference: Any) -> F32:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as exc:
        cause = exc.cause if isinstance(exc.cause, RuntimeFailure) else None
        raise RuntimeFailure(str(cause or f"a window failed on its worker: {exc.cause}")) from exc
    except ray.exceptions.RayError as exc:
        raise RuntimeFailure(
            f"the cluster lost a window {RETRIES + 1} times ({type(exc).__name__}); see that its workers have "
            "enough memory, and run the same command again: it goes on where it was"
        ) from exc
