from __future__ import annotations

import threading

import numpy as np
import pytest

from livelight.bands import BAND_PIXELS, Ahead, Bands, bands_of


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("height", [0, 1, 37, 101])
def test_every_row_comes_once(threads: int, height: int) -> None:
    bands, seen = Bands(threads), np.zeros(height, int)
    width = BAND_PIXELS // 10

    def count(rows: slice, lane: int) -> None:
        assert 0 < rows.stop - rows.start <= 10
        seen[rows] += 1

    bands.each(bands_of(height, width), count)
    bands.close()
    assert (seen == 1).all()


def test_a_lane_is_never_in_two_bands_at_once() -> None:
    bands, busy = Bands(4), [threading.Lock() for _ in range(4)]

    def work(rows: slice, lane: int) -> None:
        assert busy[lane].acquire(blocking=False)
        busy[lane].release()

    bands.each(bands_of(200, BAND_PIXELS), work)
    bands.close()


def test_a_fault_comes_out_and_the_threads_live_on() -> None:
    bands = Bands(2)

    def fail(rows: slice, lane: int) -> None:
        raise ValueError(rows.start)

    with pytest.raises(ValueError, match="0"):
        bands.each(bands_of(5, BAND_PIXELS), fail)
    done: list[str] = []
    bands.both(lambda: done.append("here"), lambda: done.append("there"))
    assert sorted(done) == ["here", "there"]
    bands.close()
    bands.close()


@pytest.mark.parametrize("hurried_after", [0, 2, 5])
def test_what_is_not_done_ahead_is_done_when_it_is_needed(hurried_after: int) -> None:
    bands, done, hurry = bands_of(50, BAND_PIXELS // 10), [], threading.Event()
    assert len(bands) == 5

    def work(rows: slice) -> None:
        done.append(rows)
        if len(done) == hurried_after:
            hurry.set()

    if hurried_after == 0:
        hurry.set()
    ahead = Ahead(bands, work, hurry)
    ahead.run()
    assert done == bands[:hurried_after]
    assert [ahead.need(k) for k in range(5)] == bands
    assert done == bands
