from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from livelight.config import RelightSettings
from livelight.errors import RuntimeFailure, SettingsError
from livelight.frame import Frame
from livelight.lighting import Light
from livelight.relight import Relighter, build_relighter, network_size
from livelight.runtimes import NetworkOutput, NetworkState
from livelight.segmenters import open_segmenter


class Halver:
    """A network that halves the picture and counts its steps in its state."""

    name = "halver"

    def run(self, image: np.ndarray, light: np.ndarray, state: NetworkState | None) -> NetworkOutput:
        h, w = image.shape[:2]
        count = np.ones(1, np.float32) if state is None else state[0] + 1
        half = np.full((h, w, 3), 0.5, np.float32)
        ball = np.zeros((h // 2, w // 2, 3), np.float32)
        return NetworkOutput(half, half * 0, np.ones((h, w), np.float32), ball, light, (count,))


class LeftHalf:
    """A segmenter that sees one person who fills the left half."""

    def segment(self, picture: np.ndarray) -> np.ndarray:
        matte = np.zeros((36, 64), np.float32)
        matte[:, :32] = 1
        return matte


def light(intensity: float = 1.0) -> Light:
    return Light(np.ones((16, 16, 3), np.float32), None, 0.0, intensity, np.ones(3, np.float32))


def frame(width: int = 320, height: int = 180, value: int = 200) -> Frame:
    return Frame(np.full((height, width, 3), value, np.uint8), 7, Fraction(1, 30), 0.0)


def test_the_person_is_relit_and_the_room_is_not() -> None:
    out, _ = Relighter(Halver(), LeftHalf()).step(frame(), light(), None)
    assert abs(int(out.image[90, 60].mean()) - 100) <= 1
    assert np.array_equal(out.image[:, 200:], frame().image[:, 200:])
    assert (out.pts, out.time_base) == (7, Fraction(1, 30))


class RightHalver(Halver):
    """A network that finds one person, who fills the right half; fails at the second frame if told so."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def run(self, image: np.ndarray, light: np.ndarray, state: NetworkState | None) -> NetworkOutput:
        if self.fails and state is not None:
            raise RuntimeFailure("the engine is gone")
        output = super().run(image, light, state)
        matte = np.zeros_like(output.matte)
        matte[:, matte.shape[1] // 2 :] = 1
        return replace(output, matte=matte)


def test_without_a_segmenter_the_network_tells_who_is_there() -> None:
    with Relighter(RightHalver(), None) as relighter:
        out, _ = relighter.step(frame(), light(), None)
    assert abs(int(out.image[90, 260].mean()) - 100) <= 1
    assert np.array_equal(out.image[:, :120], frame().image[:, :120])


@pytest.mark.timeout(30)
def test_without_a_segmenter_a_network_that_fails_is_told_and_nobody_waits() -> None:
    with Relighter(RightHalver(fails=True), None) as relighter:
        _, state = relighter.step(frame(), light(), None)
        with pytest.raises(RuntimeFailure, match="gone"):
            relighter.step(frame(), light(), state)


def test_own_is_no_network_beside_the_relighter(monkeypatch) -> None:
    with pytest.raises(SettingsError, match="on a CPU"):
        open_segmenter("own")
    monkeypatch.setattr("livelight.relight.open_runtime", lambda name, model, n: RightHalver())
    with build_relighter(RelightSettings(segmenter="own")) as relighter:
        relighter.step(frame(), light(), None)
        assert relighter.inside is not None
        assert relighter.inside.alpha[90, 60] < 0.1 < 0.9 < relighter.inside.alpha[90, 260]


def test_state_goes_in_and_comes_out_and_streams_do_not_mix() -> None:
    relighter = Relighter(Halver(), LeftHalf())
    _, a = relighter.step(frame(), light(), None)
    _, a = relighter.step(frame(), light(), a)
    _, b = relighter.step(frame(), light(), None)
    assert (a.network[0][0], b.network[0][0]) == (2, 1)


def test_another_size_starts_anew() -> None:
    relighter = Relighter(Halver(), LeftHalf())
    _, state = relighter.step(frame(), light(), None)
    _, state = relighter.step(frame(640, 360), light(), state)
    assert state.network[0][0] == 1


def test_the_input_is_not_written_into() -> None:
    source = frame()
    before = source.image.copy()
    Relighter(Halver(), LeftHalf()).step(source, light(), None)
    assert np.array_equal(source.image, before)


def test_intensity_0_gives_the_frame_back() -> None:
    out, _ = Relighter(Halver(), LeftHalf()).step(frame(), light(0.0), None)
    assert np.array_equal(out.image, frame().image)


def test_intensity_above_1_overdoes_the_change() -> None:
    out, _ = Relighter(Halver(), LeftHalf()).step(frame(), light(1.5), None)
    assert abs(int(out.image[90, 60].mean()) - 50) <= 1
    assert np.array_equal(out.image[:, 200:], frame().image[:, 200:])


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (3, 2), (17, 9)])
def test_tiny_frames_pass(size: tuple[int, int]) -> None:
    out, _ = Relighter(Halver(), LeftHalf()).step(frame(*size), light(), None)
    assert out.image.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (720, 1280), (640, 480), (7680, 4320), (1, 1)])
def test_network_size_keeps_area_and_aspect(size: tuple[int, int]) -> None:
    w, h = network_size(*size)
    assert w % 16 == h % 16 == 0
    assert 0.8 < w * h / 65536 < 1.25
    assert 0.85 < (w / h) / (size[0] / size[1]) < 1.18


@pytest.mark.parametrize(("cores", "asked", "threads"), [(1, 0, 0), (2, 0, 1), (2, 2, 2), (8, 0, 0)])
def test_the_network_leaves_one_of_two_cores_to_the_matte(monkeypatch, cores: int, asked: int, threads: int) -> None:
    monkeypatch.setattr("livelight.relight.os.cpu_count", lambda: cores)
    monkeypatch.setattr("livelight.relight.open_segmenter", lambda name, runtime: LeftHalf())
    given: list[int] = []
    monkeypatch.setattr("livelight.relight.open_runtime", lambda name, model, n: given.append(n) or Halver())
    build_relighter(RelightSettings(threads=asked)).close()
    assert given == [threads]


def test_before_their_own_room_a_person_stays_as_bright_as_they_were() -> None:
    """Halved code values are 2.2 stops; a stop is given back from the first frame on, and no more later."""
    relighter, own = Relighter(Halver(), LeftHalf()), replace(light(), brighten=1.0)
    state = None
    for _ in range(3):
        out, state = relighter.step(frame(), own, state)
        assert abs(int(out.image[90, 60].mean()) - 100 * 2 ** (1 / 2.2)) <= 2
        assert np.array_equal(out.image[:, 200:], frame().image[:, 200:])
    half = relighter.step(frame(), replace(light(), brighten=0.5), None)[0]
    assert abs(int(half.image[90, 60].mean()) - 100 * 2 ** (0.5 / 2.2)) <= 2


def test_before_a_backdrop_too_they_stay_as_bright_as_they_were() -> None:
    behind = np.zeros((180, 320, 3), np.uint8)
    other = replace(light(), brighten=1.0, backdrop=behind)
    out, _ = Relighter(Halver(), LeftHalf()).step(frame(), other, None)
    assert abs(int(out.image[90, 60].mean()) - 100 * 2 ** (1 / 2.2)) <= 2
    assert out.image[:, 240:].max() == 0
