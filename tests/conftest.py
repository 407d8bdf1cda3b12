"""What the rooms' tests share: one local Ray of two workers, started at the first test that asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent

START_TRIES = 6
"""Ray gives its own node 30 s to start, which a crowded machine may take several times over."""


def _started(ray: Any) -> None:
    """Start Ray; tried again only when Ray itself says that the node took too long."""
    for left in reversed(range(START_TRIES)):
        try:
            ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
                     object_store_memory=80_000_000)  # fmt: skip
            return
        except Exception as fault:  # Ray raises no class of its own for this
            ray.shutdown()
            if type(fault) is not Exception or "timed out during startup" not in str(fault) or not left:
                raise


@pytest.fixture(scope="session")
def ray_of_two() -> Iterator[Any]:
    """The ray module, connected to a cluster of its own with two CPUs, whose workers can import the tests.

    A test must leave no task or actor behind; processes of workers outlive it, so it must not count on fresh ones.
    """
    ray = pytest.importorskip("ray", reason="needs pip install 'livelight[cluster]'")
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    here = str(ROOT.parent)
    patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])))
    try:
        _started(ray)
    finally:
        patch.undo()  # the cluster's processes have taken them over
    yield ray
    ray.shutdown()
