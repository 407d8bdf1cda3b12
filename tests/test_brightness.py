"""How bright a relit person stays before their own room."""

from __future__ import annotations

import numpy as np
import pytest

from livelight.brightness import LIT, MOST_STOPS, RATE, SHINING, Sample, _levels, brightened, followed, lost_stops
from livelight.fakes import WhiteRoom


def grey(level: float, shining: float | None = None) -> np.ndarray:
    """A person of one luma, a tenth of whom is brighter."""
    person = np.full(400, level, np.float32)
    person[:40] = level if shining is None else shining
    return person


def test_what_a_light_takes_is_measured_in_stops() -> None:
    lost = lost_stops(grey(0.5), grey(0.5 * 2 ** (-0.6 / 2.2)), 0.0)
    assert lost == pytest.approx(0.6, abs=1e-3)


def test_nothing_is_made_darker_and_there_is_a_limit() -> None:
    assert lost_stops(grey(0.3), grey(0.5), 0.0) == 0
    assert lost_stops(grey(0.6), grey(0.1), 0.0) == MOST_STOPS


def test_what_shines_is_not_burnt_out() -> None:
    """A face half in shade and half in glaring light: the glare holds back what the shade would ask for."""
    lost = lost_stops(grey(0.5, 0.8), grey(0.3, 0.9), 0.0)
    assert lost == 0
    assert lost_stops(grey(0.5, 0.8), grey(0.3, 0.7), 0.0) == pytest.approx(2.2 * np.log2(8 / 7), abs=1e-3)


def test_an_exposure_that_was_asked_for_is_seen() -> None:
    darker = grey(0.5 * 2 ** (-0.8 / 2.2))
    assert lost_stops(grey(0.5), darker, -0.8) == pytest.approx(0, abs=1e-3)
    assert lost_stops(grey(0.5), grey(0.5), 0.5) == pytest.approx(0.5, abs=1e-3)


def test_too_little_of_a_person_tells_nothing() -> None:
    assert lost_stops(grey(0.5)[:20], grey(0.2)[:20], 0.0) is None
    assert (followed(None, None), followed(0.4, None)) == (0.0, 0.4)


def test_it_begins_at_once_and_follows_slowly() -> None:
    assert followed(None, 0.8) == 0.8
    assert followed(0.8, 0.2) == pytest.approx(0.8 - RATE * 0.6)


def test_the_light_is_left_alone_where_there_is_nothing_to_give_back() -> None:
    light = WhiteRoom().at(0.0, 4, 4)
    assert brightened(light, 0.0) is light
    assert brightened(light, 1.0) is light  # it asks for nothing


def test_a_sample_is_of_the_person_alone() -> None:
    picture = np.full((96, 160, 3), 20, np.uint8)
    picture[:, 80:] = 128
    matte = np.zeros((24, 40), np.float32)
    matte[:, 20:] = 1
    sample = Sample.of(picture, matte)
    assert np.allclose(sample.colours, 128 / 255)
    halved = np.full((96, 160, 3), 2 ** (-0.5 / 2.2), np.float32)
    assert sample.lost(halved, 0 * halved, 0.0) == pytest.approx(0.5, abs=1e-3)
    assert Sample.of(picture, 0 * matte).lost(halved, halved, 0.0) is None


@pytest.mark.parametrize("size", [24, 25, 1000])
def test_levels_are_percentiles(size: int) -> None:
    luma = np.random.default_rng(size).random(size, np.float32)
    assert np.allclose(_levels(luma), np.percentile(luma, (LIT, SHINING)), atol=1e-6)
