import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from offline.clip_run import ClipRun, one_by_one
from offline.denoiser import Plan
from offline.frame_store import FrameStore
from offline.noise import frame_noise
from offline.samplers import SAMPLERS, leading_sigmas, sample, train_sigmas
from tests.offline.fakes import Identity, Mixing

SHAPE = (2, 3, 4)
SIGMAS = leading_sigmas(train_sigmas("scaled_linear"), 5)


def prepared(folder, frames, sampler="ddpm", window=8, overlap=3, seed=7, shape=SHAPE):
    folder.mkdir(exist_ok=True)
    tint = FrameStore(folder / "tint.f32", shape, fresh=not (folder / "checkpoint.npz").exists())
    if len(tint) != frames:
        for k in range(frames):
            tint.write(k, frame_noise(99, 0, k, k + 1, shape))
    tint.close()
    return ClipRun(folder, frames, shape, {"tint": shape}, Plan(sampler, SIGMAS, window, overlap), seed)


def whole(folder, frames, **how):
    run = prepared(folder, frames, **how)
    result = run.run(one_by_one(Mixing())).read(0, frames)
    run.close()
    return result


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_one_window_is_the_plain_chain(tmp_path, sampler):
    tint = frame_noise(99, 0, 0, 6, SHAPE)
    model = Mixing()
    chain = sample(
        lambda x, sigma: model(x, sigma, {"tint": tint}),
        SAMPLERS[sampler],
        SIGMAS,
        lambda i: frame_noise(7, i, 0, 6, SHAPE),
    )
    assert np.array_equal(whole(tmp_path / "run", 6, sampler=sampler), chain)


def test_identity_leaves_the_noise_as_it_is(tmp_path):
    """A denoiser that calls everything clean makes each step keep x (fresh noise aside), whatever the windows."""
    run = prepared(tmp_path / "run", 37, sampler="euler", window=16, overlap=6)
    before = run._latents[0].read(0, 37)
    assert np.array_equal(run.run(one_by_one(Identity())).read(0, 37), before)


@pytest.mark.parametrize("sampler", list(SAMPLERS))
@pytest.mark.parametrize("stop_after", [0, 1, 4, 5, 12])
def test_interrupted_and_gone_on_is_the_same_bit_for_bit(tmp_path, sampler, stop_after):
    expected = whole(tmp_path / "whole", 21, sampler=sampler)
    run = prepared(tmp_path / "cut", 21, sampler=sampler)
    with pytest.raises(KeyboardInterrupt):
        run.run(one_by_one(Mixing(fail_after=stop_after)))
    run.close()
    rest = Mixing()
    run = prepared(tmp_path / "cut", 21, sampler=sampler)
    assert run.done == stop_after
    assert np.array_equal(run.run(one_by_one(rest)).read(0, 21), expected)
    assert rest.calls == run.total - stop_after


SLOW = """
import sys, time
from pathlib import Path
from tests.offline.test_clip_run import prepared, one_by_one, Mixing
class Slow(Mixing):
    def __call__(self, *arguments):
        time.sleep(0.02)
        return super().__call__(*arguments)
prepared(Path(sys.argv[1]), 60, sampler="dpmpp-2m-sde").run(one_by_one(Slow()))
"""


def test_killed_and_gone_on_is_the_same_bit_for_bit(tmp_path):
    expected = whole(tmp_path / "whole", 60, sampler="dpmpp-2m-sde")
    folder = tmp_path / "cut"
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(folder)])
    for _ in range(3000):
        if (folder / "checkpoint.npz").exists() or process.poll() is not None:
            break
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    run = prepared(folder, 60, sampler="dpmpp-2m-sde")
    assert 0 < run.done < run.total
    assert np.array_equal(run.run(one_by_one(Mixing())).read(0, 60), expected)


def test_seeds_change_the_result_and_clip_length_does_not_change_the_noise(tmp_path):
    assert not np.array_equal(whole(tmp_path / "a", 9, seed=1), whole(tmp_path / "b", 9, seed=2))
    assert np.array_equal(frame_noise(3, 2, 0, 50, SHAPE)[40:44], frame_noise(3, 2, 40, 44, SHAPE))


GROW = """
import resource, sys
from pathlib import Path
from tests.offline.test_clip_run import prepared, one_by_one, Identity
frames = int(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
prepared(Path(sys.argv[1]), frames, shape=(4, 64, 64)).run(one_by_one(Identity()))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_clip(tmp_path):
    """Six times the frames, whose latents are 16 MB more each of three times: within 6 MB."""
    used = []
    for frames in (48, 288):
        command = [sys.executable, "-c", GROW, str(tmp_path / str(frames)), str(frames)]
        used.append(int(subprocess.check_output(command, env=os.environ, text=True)))
    assert used[1] - used[0] < 6 * 1024
