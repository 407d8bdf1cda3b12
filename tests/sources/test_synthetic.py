from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from livelight.sources.synthetic import SyntheticSource


def test_same_arguments_same_pixels():
    first, second = (list(SyntheticSource(96, 64, 25, 5)) for _ in range(2))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0].image, first[4].image)


def test_times_and_count():
    frames = list(SyntheticSource(rate=Fraction(30000, 1001), frame_count=31, start_pts=10))
    assert len(frames) == 31
    assert frames[30].pts * frames[30].time_base == Fraction(40 * 1001, 30000)


def test_endless():
    assert len(list(islice(SyntheticSource(16, 16, frame_count=None), 100))) == 100


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (641, 481)])
def test_any_size(size):
    (frame,) = SyntheticSource(*size, frame_count=1)
    assert (frame.width, frame.height) == size
