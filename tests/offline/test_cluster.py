"""A local Ray of two workers, one of which is killed in mid-run."""

import os
import signal
import time

import numpy as np

from offline.clip_run import one_by_one
from tests.offline.fakes import Mixing
from tests.offline.test_clip_run import prepared

FRAMES = 24


class Dying(Mixing):
    """Writes down which process it lives in; the first process to reach its third window dies there, once."""

    def __init__(self, folder):
        super().__init__()
        self._folder = folder

    def __call__(self, x, sigma, condition):
        (self._folder / f"worker-{os.getpid()}").touch()
        time.sleep(0.05)
        if self.calls == 2:
            try:
                (self._folder / "killed").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(x, sigma, condition)


def test_a_worker_that_dies_in_mid_run_changes_nothing(tmp_path, ray_of_two):
    from functools import partial

    from offline.cluster import on_cluster

    plain = prepared(tmp_path / "plain", FRAMES)
    expected = plain.run(one_by_one(Mixing())).read(0, FRAMES)
    run = prepared(tmp_path / "cluster", FRAMES)
    answer = on_cluster("dying", partial(Dying, tmp_path), ahead=4)
    assert np.array_equal(run.run(answer).read(0, FRAMES), expected)
    assert (tmp_path / "killed").exists()
    assert len(list(tmp_path.glob("worker-*"))) >= 2
