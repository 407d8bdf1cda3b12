"""The real GPU road on a fake device: build, store, verify, step, crossings, failure."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the live graph is made with torch: pip install torch")

from livelight.errors import MissingExtra, RuntimeFailure
from livelight.failover import FailoverRelighter
from livelight.gpu_relighter import GpuRelighter
from livelight.relight import State
from livelight.watched_relighter import WatchedRelighter
from tests.trt_engines import fake_tensorrt
from tests.trt_engines.conftest import supply
from tests.trt_engines.fake_device import FakeDevice
from tests.trt_engines.graphs import write_weights
from tests.trt_engines.scene import HEIGHT, WIDTH, Oval, frames, light
from tests.trt_engines.test_live_graph import on_the_cpu, reference, worst
from trt_engines.store import Store


def test_the_first_run_builds_and_verifies_and_the_second_does_not(tensorrt: None, folder: Path) -> None:
    said: list[str] = []
    before = fake_tensorrt.Builder.builds
    supply(folder, said).engine(WIDTH, HEIGHT, False)
    assert [s.split()[0] for s in said] == ["Building", "Built", "Verifying", "Verified:"]
    said.clear()
    path = supply(folder, said).engine(WIDTH, HEIGHT, False)
    assert said == []
    assert fake_tensorrt.Builder.builds == before + 1
    assert path.with_suffix(".verified").exists()


def test_it_relights_as_the_cpu_does(relighter: GpuRelighter) -> None:
    lights = [light(t) for t in range(10)]
    state, pictures = None, []
    for frame, lit in zip(frames(10), lights, strict=True):
        relit, state = relighter.step(frame, lit, state)
        assert relit.pts == frame.pts
        pictures.append(relit.image)
    assert worst(pictures, reference(lights))[0] < 1.5


def test_it_keeps_the_person_as_bright_as_the_cpu_does(relighter: GpuRelighter, device: FakeDevice) -> None:
    """From the first frame on, which is run twice for it."""
    lights = [replace(light(0), code=light(0).code * 0.1, brighten=1.0)] * 4
    state, pictures, launches = None, [], []
    for frame, lit in zip(frames(4), lights, strict=True):
        before = device.launches
        relit, state = relighter.step(frame, lit, state)
        pictures.append(relit.image)
        launches.append(device.launches - before)
        assert state.brightened > 0.2
    assert launches == [2, 1, 1, 1]
    assert worst(pictures, reference(lights))[0] < 2.0


def test_before_a_backdrop_too_it_keeps_the_person_as_bright(relighter: GpuRelighter) -> None:
    frame = frames(1)[0]
    behind = np.full_like(frame.image, 90)
    lit = replace(light(0), code=light(0).code * 0.1, brighten=1.0, backdrop=behind)
    bright, state = relighter.step(frame, lit)
    plain, _ = relighter.step(frame, replace(lit, brighten=0.0))
    assert state.brightened > 0.2
    assert bright.image.mean() > plain.image.mean() + 1


def test_half_of_a_light_brightens_by_as_many_stops(relighter: GpuRelighter) -> None:
    dim = replace(light(0), code=light(0).code * 1.3, brighten=1.0)
    found = [relighter.step(frames(1)[0], replace(dim, intensity=part))[1].brightened for part in (1.0, 0.4)]
    assert 0.1 < found[0] < 0.9
    assert abs(found[1] - found[0]) < 0.05


def test_a_frame_crosses_once_each_way(relighter: GpuRelighter, device: FakeDevice) -> None:
    _, state = relighter.step(frames(1)[0], light(0))
    device.uploads.clear()
    device.downloads.clear()
    launches, memory = device.launches, len(device.blocks)
    for frame in frames(6)[1:]:
        _, state = relighter.step(frame, light(1), state)
    assert len(device.uploads) == len(device.downloads) == device.launches - launches == 5
    assert set(device.downloads) == {WIDTH * HEIGHT * 3}
    assert max(device.uploads) < 2 * WIDTH * HEIGHT * 3 + 2 * 65536 * 4
    assert len(device.blocks) <= memory + 1  # the states go between two places


def test_planes_cross_with_the_picture_where_they_are_asked_for(
    tensorrt: None, folder: Path, device: FakeDevice
) -> None:
    """The same picture as I420, behind it in the one download."""
    av = pytest.importorskip("av")
    relighter = GpuRelighter(lambda: device, supply(folder), Oval(), planes=True)
    relit, _ = relighter.step(frames(1)[0], light(0))
    assert relit.planes is not None
    kept = relit.planes.copy()
    made = av.VideoFrame.from_ndarray(relit.image, "rgb24").reformat(
        format="yuv420p", dst_colorspace="itu601", src_color_range="JPEG", dst_color_range="MPEG"
    )
    gap = np.abs(relit.planes.astype(int) - made.to_ndarray())
    assert gap[:HEIGHT].max() <= 2
    assert gap.mean() < 0.5  # chroma of a sharp edge depends on how it is made smaller
    device.downloads.clear()
    relighter.step(frames(2)[1], light(5))
    assert len(device.downloads) == 1
    assert WIDTH * HEIGHT * 9 // 2 <= device.downloads[0] < WIDTH * HEIGHT * 9 // 2 + 512
    assert np.array_equal(relit.planes, kept), "the frame owns its planes"


def test_a_portrait_frame_of_odd_width(tensorrt: None, folder: Path, device: FakeDevice) -> None:
    """Twice as high as wide; I420 has no odd sides, so it comes without planes."""
    shown = frames(3, 95, 180)
    gpu, cpu = GpuRelighter(lambda: device, supply(folder), Oval(), planes=True), on_the_cpu()
    state, true_state, ours, truth = None, None, [], []
    for frame in shown:
        relit, state = gpu.step(frame, light(0), state)
        true, true_state = cpu.step(frame, light(0), true_state)
        assert relit.planes is None
        ours.append(relit.image)
        truth.append(true.image)
    assert ours[0].shape == (180, 95, 3)
    assert worst(ours, truth)[0] < 1.5


def test_a_backdrop_crosses_only_when_it_changes(relighter: GpuRelighter, device: FakeDevice) -> None:
    behind = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    state, sizes = None, []
    for k, backdrop in enumerate((None, behind, behind, behind.copy(), None, behind)):
        device.uploads.clear()
        relit, state = relighter.step(frames(6)[k], light(0, backdrop=backdrop), state)
        sizes.append(device.uploads[-1])
        if backdrop is not None:
            assert abs(int(relit.image[2, 2].max()) - 90) <= 1
    small, large = min(sizes), max(sizes)
    assert large - small >= behind.nbytes
    assert sizes == [small, large, small, large, small, large]


def test_a_backdrop_that_did_not_get_there_crosses_with_the_next_frame(
    relighter: GpuRelighter, device: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    _, state = relighter.step(frames(3)[0], light(0), None)
    with monkeypatch.context() as broken:
        broken.setattr(relighter, "_run", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            relighter.step(frames(3)[1], light(0, backdrop=behind), state)
    relit, _ = relighter.step(frames(3)[2], light(0, backdrop=behind), state)
    assert abs(int(relit.image[2, 2].max()) - 90) <= 1


def test_a_state_is_a_value(tensorrt: None, folder: Path, device: FakeDevice) -> None:
    """A state that was stepped from may be stepped from again, and streams take turns."""
    relighter = GpuRelighter(lambda: device, supply(folder), Oval(sway=0))
    first, second, third = frames(3)
    _, a = relighter.step(first, light(0))
    one, _ = relighter.step(second, light(0), a)
    relighter.step(third, light(5), None)
    again, _ = relighter.step(second, light(0), a)
    assert np.array_equal(one.image, again.image)
    other, _ = relighter.step(second, light(0), None)
    assert not np.array_equal(again.image, other.image)


def test_the_relit_frame_owns_its_picture(relighter: GpuRelighter) -> None:
    one, state = relighter.step(frames(1)[0], light(0))
    kept = one.image.copy()
    relighter.step(frames(2)[1], light(9), state)
    assert np.array_equal(one.image, kept)


def test_failure_in_mid_stream_goes_on_with_the_cpu(
    relighter: GpuRelighter, device: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livelight.gpu_relighter.STEP_S", 600.0)  # a slow machine is not its subject
    notices: list[str] = []
    both = FailoverRelighter(WatchedRelighter(relighter), on_the_cpu(), notices.append)
    state = None
    lights = [light(t) for t in range(6)]
    for frame, lit in zip(frames(6), lights, strict=True):
        if frame.pts == 3:
            device.fail_at = device.calls + 4  # in the middle of a step
        relit, state = both.step(frame, lit, state)
        assert relit.image.shape == frame.image.shape
        assert relit.pts == frame.pts
    assert isinstance(state, State)
    assert both.runtime_name == "torch"
    assert len(notices) == 1
    assert "launch failure" in notices[0]
    assert "torch" in notices[0]
    assert np.array_equal(relit.image, _cpu_from(3)[-1])


@pytest.mark.parametrize("call", ["the upload", "launching the graph", "waiting for the picture", "choosing the GPU"])
def test_a_call_that_never_returns_goes_on_with_the_cpu(
    relighter: GpuRelighter, device: FakeDevice, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Nobody waits for the call but its own thread; what it uses is freed when it comes back, and not before."""
    notices: list[str] = []
    for limit in ("OPEN_S", "START_S", "STEP_S"):
        monkeypatch.setattr(f"livelight.gpu_relighter.{limit}", 600.0)
    both = FailoverRelighter(WatchedRelighter(relighter), on_the_cpu(), notices.append)
    state = None
    for frame in frames(4):
        if frame.pts == 2:
            for limit in ("OPEN_S", "STEP_S"):
                monkeypatch.setattr(f"livelight.gpu_relighter.{limit}", 0.2)
            device.hang_in = call
        relit, state = both.step(frame, light(frame.pts), state)
        assert relit.pts == frame.pts
    assert device.hangs.is_set()
    assert not device.closed
    assert isinstance(state, State)
    assert len(notices) == 1
    assert "the GPU has not answered for 0.2 s" in notices[0]
    assert np.array_equal(relit.image, _cpu_from(2)[1])
    device.released.set()
    assert device.freed.wait(120)
    both.close()


def test_a_gpu_that_hangs_while_it_is_freed_does_not_hold_up_the_end(
    relighter: GpuRelighter, device: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livelight.gpu_relighter.STEP_S", 600.0)
    monkeypatch.setattr("livelight.gpu_relighter.CLOSE_S", 0.2)
    both = FailoverRelighter(WatchedRelighter(relighter), on_the_cpu(), [].append)
    both.step(frames(1)[0], light(0))
    monkeypatch.setattr(device, "close", lambda: device._call("closing"))
    device.hang_in = "closing"
    both.close()
    assert device.hangs.is_set()
    device.released.set()


def test_a_chosen_gpu_that_hangs_is_an_error_and_does_not_hold_the_stream(
    relighter: GpuRelighter, device: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livelight.gpu_relighter.STEP_S", 600.0)
    chosen = WatchedRelighter(relighter)
    first, second = frames(2)
    _, state = chosen.step(first, light(0))
    monkeypatch.setattr("livelight.gpu_relighter.STEP_S", 0.2)
    device.hang_in = "waiting for the picture"
    for _ in range(2):
        with pytest.raises(RuntimeFailure, match=r"the GPU has not answered for 0\.2 s"):
            chosen.step(second, light(1), state)
    chosen.close()
    assert not device.closed
    device.released.set()
    assert device.freed.wait(120)


def _cpu_from(start: int) -> list[np.ndarray]:
    """The frames from ``start`` to the fifth, by the CPU alone."""
    cpu, state, out = on_the_cpu(), None, []
    for frame in frames(6)[start:]:
        relit, state = cpu.step(frame, light(frame.pts), state)
        out.append(relit.image)
    return out


def test_every_call_may_be_the_one_that_fails(tensorrt: None, folder: Path) -> None:
    """Whatever call the GPU vanishes in: one RuntimeFailure, and nothing else."""
    device = FakeDevice()
    GpuRelighter(lambda: device, supply(folder), Oval()).step(frames(1)[0], light(0))
    for call in range(1, device.calls + 1):
        failing = FakeDevice()
        failing.fail_at = call
        relighter = GpuRelighter(lambda failing=failing: failing, supply(folder), Oval())
        with pytest.raises(RuntimeFailure, match="the GPU failed"):
            relighter.step(frames(1)[0], light(0))


def test_without_failover_the_failure_is_an_error(relighter: GpuRelighter, device: FakeDevice) -> None:
    relighter.step(frames(1)[0], light(0))
    device.fail_at = 0
    with pytest.raises(RuntimeFailure, match="the GPU failed"):
        relighter.step(frames(1)[0], light(0))


def test_no_memory_is_a_sentence(tensorrt: None, folder: Path) -> None:
    device = FakeDevice(memory=WIDTH * HEIGHT)
    with pytest.raises(RuntimeFailure, match="not enough free memory"):
        GpuRelighter(lambda: device, supply(folder), Oval()).step(frames(1)[0], light(0))


@pytest.mark.parametrize(("spoil", "word"), [(0, "all-zero"), (0.7, "differ"), (np.nan, "finite|all-zero")])
def test_an_engine_that_errs_is_refused(
    tensorrt: None, folder: Path, monkeypatch: pytest.MonkeyPatch, spoil: float, word: str
) -> None:
    made = supply(folder)
    made.engine(WIDTH, HEIGHT, False)
    store = Store(folder / "engines")
    marks = [store.path(e.spec).with_suffix(".verified") for e in store.entries() if e.spec]
    kept = {mark: mark.read_bytes() for mark in marks}
    for mark in marks:
        mark.unlink()
    monkeypatch.setattr(fake_tensorrt.Engine, "spoil", spoil)
    with np.errstate(invalid="ignore"), pytest.raises(RuntimeFailure, match=word):
        made.engine(WIDTH, HEIGHT, False)
    assert not any(mark.exists() for mark in marks)
    for mark, content in kept.items():
        mark.write_bytes(content)


def test_a_card_that_tensorrt_refuses_is_reported_in_its_words(
    tensorrt: None, exported_before: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_tensorrt.Builder, "refuse", True)
    with pytest.raises(RuntimeFailure, match=r"cannot build for Fake RTX \(9.0\): this GPU is not supported"):
        supply(folder, device=lambda: FakeDevice((9, 0))).engine(WIDTH, HEIGHT, False)


def test_two_at_once_build_once(tensorrt: None, exported_before: None, tmp_path: Path) -> None:
    write_weights(tmp_path / "weights.onnx")
    before = fake_tensorrt.Builder.builds
    said: list[str] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            supply(tmp_path, said).engine(WIDTH, HEIGHT, False)
        except BaseException as exc:
            faults.append(exc)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert fake_tensorrt.Builder.builds == before + 1
    assert any("Another LiveLight builds" in s for s in said)


def test_a_missing_package_names_the_pip_command(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    with pytest.raises(MissingExtra, match=r"pip install 'livelight\[tensorrt-rtx\]'"):
        supply(folder)
