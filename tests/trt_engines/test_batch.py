"""Several streams in one run of an engine, and frames of several sizes: on a fake device."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the live graph is made with torch: pip install torch")

from livelight import gpu_relighter
from livelight.batch import Job
from livelight.errors import RuntimeFailure
from livelight.failover import FailoverRelighter
from livelight.frame import Frame
from livelight.gpu_relighter import GpuRelighter
from livelight.relight import State
from livelight.watched_relighter import WatchedRelighter
from tests.trt_engines.conftest import supply
from tests.trt_engines.fake_device import FakeDevice
from tests.trt_engines.scene import HEIGHT, WIDTH, Oval, frames, light
from tests.trt_engines.test_live_graph import on_the_cpu

BEHIND = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)


def streams(count: int) -> list[list[Job]]:
    """Pictures and lights of three streams, none like another; the second stands before a backdrop."""
    shown = frames(3 * count)
    lights = [light(0), light(4, backdrop=BEHIND), light(8, intensity=0.5)]
    return [[Job(shown[3 * t + k], lights[k], None) for t in range(count)] for k in range(3)]


def test_streams_in_one_run_are_as_each_alone(tensorrt: None, folder: Path, device: FakeDevice) -> None:
    """The third begins later and the first is away once: no state goes to another stream."""
    present = [(0, 1), (0, 1, 2), (1, 2), (0, 1, 2)]
    given = streams(len(present))
    alone = []
    for k in range(3):
        relighter, state, pictures = GpuRelighter(FakeDevice, supply(folder), Oval(sway=0)), None, []
        for t in (t for t, here in enumerate(present) if k in here):
            relit, state = relighter.step(*given[k][t]._replace(state=state))
            pictures.append(relit.image)
        alone.append(pictures)
    relighter = GpuRelighter(lambda: device, supply(folder), Oval(sway=0))
    states: list[object] = [None] * 3
    together: list[list[np.ndarray]] = [[], [], []]
    for t, here in enumerate(present):
        for k, (relit, state) in zip(
            here, relighter.step_many([given[k][t]._replace(state=states[k]) for k in here]), strict=True
        ):
            assert relit.pts == given[k][t].frame.pts
            states[k] = state
            together[k].append(relit.image)
    for k in range(3):
        for one, many in zip(alone[k], together[k], strict=True):
            assert np.abs(one.astype(int) - many).max() <= 1
    assert np.abs(alone[0][-1].astype(int) - alone[2][-1]).max() > 10


def test_one_run_is_one_crossing_and_a_backdrop_only_its_own(tensorrt: None, folder: Path, device: FakeDevice) -> None:
    relighter = GpuRelighter(lambda: device, supply(folder), Oval())
    first, second, third = ([job[t] for job in streams(3)] for t in range(3))
    done = relighter.step_many(first)
    device.uploads.clear()
    device.downloads.clear()
    launches = device.launches
    done = relighter.step_many([job._replace(state=state) for job, (_, state) in zip(second, done, strict=True)])
    assert device.launches - launches == len(device.uploads) == len(device.downloads) == 1
    moved = third[2].light
    third[2] = third[2]._replace(light=light(8, backdrop=BEHIND.copy(), intensity=moved.intensity))
    relighter.step_many([job._replace(state=state) for job, (_, state) in zip(third, done, strict=True)])
    assert device.uploads[-1] == BEHIND.nbytes
    assert len(device.uploads) == 3


def test_when_the_gpu_fails_all_streams_go_on_with_the_cpu(tensorrt: None, folder: Path, device: FakeDevice) -> None:
    both = FailoverRelighter(
        WatchedRelighter(GpuRelighter(lambda: device, supply(folder), Oval())),
        on_the_cpu(),
        lambda _: None,
    )
    first, second = ([job[t] for job in streams(2)] for t in range(2))
    assert both.max_batch == 4
    done = both.step_many(first)
    device.fail_at = device.calls + 5
    done = both.step_many([job._replace(state=state) for job, (_, state) in zip(second, done, strict=True)])
    assert all(isinstance(state, State) for _, state in done)
    assert [relit.pts for relit, _ in done] == [job.frame.pts for job in second]
    assert both.max_batch == 1
    both.close()


def test_sizes_take_turns_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of two sizes lose neither engines nor states; one size too many closes that which waited longest."""
    monkeypatch.setattr(gpu_relighter, "KEPT", 2)
    opened: list[FakeDevice] = []

    def open_device() -> FakeDevice:
        opened.append(FakeDevice())
        return opened[-1]

    class NoEngines:
        flavour, max_streams = "tensorrt-rtx", 4

        def engine(self, width: int, height: int, blur: bool) -> Path:
            raise RuntimeFailure(f"{width}x{height} was asked for")

    relighter = GpuRelighter(open_device, NoEngines(), Oval())
    for width in (64, 96, 64, 96, 64, 128):
        with pytest.raises(RuntimeFailure, match=f"{width}x64 was asked for"):
            relighter.step(Frame(np.zeros((64, width, 3), np.uint8), 0, Fraction(1, 30), 0.0), light(0))
    assert [device.closed for device in opened] == [False, True, False]
    relighter.close()
    assert all(device.closed for device in opened)
