"""The network sees more pixels of people who are far off."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from livelight.distance import EVERY, GROWTHS, Distance, fitting, wanted
from livelight.lighting import Light
from livelight.quality import FAST_AREA, LEVELS, UNHURRIED
from livelight.relight import Relighter, State, network_size
from livelight.runtimes import NetworkOutput
from livelight.sources.synthetic import SyntheticSource
from tests.test_heads import person

NEAR, HALFWAY, FAR = person(84, 50, 2.2), person(84, 40, 1.1), person(84, 62, 0.6)


def test_a_head_half_as_high_needs_four_times_the_pixels() -> None:
    half, whole = wanted(person(84, 22, 0.6), FAST_AREA), wanted(person(84, 40, 1.2), FAST_AREA)
    assert half is not None
    assert whole is not None
    assert half / whole == pytest.approx(4, rel=0.25)
    assert wanted(np.zeros((96, 168), np.float32), FAST_AREA) is None


def test_a_head_that_fills_a_third_of_the_picture_has_enough() -> None:
    assert Distance.of(NEAR, FAST_AREA).growth == 1
    assert Distance.of(FAR, FAST_AREA).growth == GROWTHS[-1]
    assert Distance.of(np.zeros((96, 168), np.float32), FAST_AREA).growth == 1


@pytest.mark.parametrize(
    ("need", "growth", "then"),
    [(0.3, 1.0, 1.0), (1.2, 1.0, 1.0), (1.4, 1.0, 1.5), (9.0, 1.0, 2.25), (1.4, 1.5, 1.5),
     (0.8, 1.5, 1.0), (1.6, 2.25, 2.25), (1.2, 2.25, 1.5), (0.5, 2.25, 1.0),
     (None, 1.5, 1.5)],
)  # fmt: skip
def test_it_stays_where_it_is_between_two_growths(need: float | None, growth: float, then: float) -> None:
    assert fitting(need, growth) == then


def test_two_looks_must_ask_for_the_same() -> None:
    distance, growths = Distance.of(NEAR, FAST_AREA), []
    for k in range(4 * EVERY):
        raised_hand = EVERY <= k < EVERY + 3
        distance = distance.after(FAR if raised_hand or k >= 2 * EVERY else NEAR, FAST_AREA)
        growths.append(distance.growth)
    assert growths.index(GROWTHS[-1]) == 4 * EVERY - 1


class Standing:
    """A segmenter that sees one person."""

    def __init__(self, matte: NDArray[np.float32]) -> None:
        self.matte = matte

    def segment(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.matte


class Sizes:
    """A network that does nothing, and remembers which pictures it saw."""

    name = "sizes"

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def run(self, image, light, state) -> NetworkOutput:
        h, w = image.shape[:2]
        self.seen.append((w, h))
        if state is not None:
            assert state[0].shape[2:] == (h // 8, w // 8)
        gain, nothing = np.ones((h, w, 3), np.float32), np.zeros((h, w, 3), np.float32)
        return NetworkOutput(
            gain, nothing, nothing[..., 0], nothing, light, (np.zeros((1, 4, h // 8, w // 8), np.float32),)
        )


def pictures_seen(
    relighter: Relighter, runtime: Sizes, segmenter: Standing, *mattes: NDArray[np.float32]
) -> list[tuple[int, int]]:
    """Size of the network's last picture after 3 * EVERY frames of each matte."""
    state: State | None = None
    light = Light(np.ones((16, 16, 3), np.float32), None, 0.0, 1.0, np.ones(3, np.float32))
    last = []
    for matte in mattes:
        segmenter.matte = matte
        for frame in SyntheticSource(320, 180, frame_count=3 * EVERY):
            _, state = relighter.step(frame, light, state)
        last.append(runtime.seen[-1])
    return last


def test_the_relighter_shows_more_of_far_people_from_the_first_frame_on() -> None:
    runtime, segmenter = Sizes(), Standing(FAR)
    with Relighter(runtime, segmenter) as relighter:
        found = pictures_seen(relighter, runtime, segmenter, FAR, NEAR, FAR)
        relighter.set_level(1)
        found += pictures_seen(relighter, runtime, segmenter, FAR)
    small, largest = (network_size(320, 180, round(FAST_AREA * g)) for g in (1, GROWTHS[-1]))
    assert found == [largest, small, largest, small]
    assert runtime.seen[0] == largest


def test_a_matte_of_another_shape_than_the_frame_tells_the_same() -> None:
    light = Light(np.ones((16, 16, 3), np.float32), None, 0.0, 1.0, np.ones(3, np.float32))
    frame = next(iter(SyntheticSource(320, 180, frame_count=1)))
    first = []
    for matte in (HALFWAY, cv2.resize(HALFWAY, (96, 96)), cv2.resize(HALFWAY, (54, 96))):
        with Relighter(runtime := Sizes(), Standing(matte)) as relighter:
            relighter.step(frame, light, None)
        first += runtime.seen
    assert first == [network_size(320, 180, round(FAST_AREA * 1.5))] * 3


@pytest.mark.parametrize("levels", [UNHURRIED, LEVELS[1:]])
def test_where_time_is_short_or_the_size_is_given_it_stays(levels) -> None:
    runtime, segmenter = Sizes(), Standing(FAR)
    with Relighter(runtime, segmenter, levels) as relighter:
        assert set(pictures_seen(relighter, runtime, segmenter, FAR, NEAR)) == {network_size(320, 180, levels[0].area)}
