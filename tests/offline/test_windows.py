from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livelight.errors import SettingsError
from offline.windows import Blend, lay_out, pyramid

LAYOUTS = st.integers(1, 32).flatmap(lambda n: st.tuples(st.integers(1, 120), st.just(n), st.integers(0, n - 1)))


@given(LAYOUTS)
def test_windows_cover_a_clip_and_share_at_least_the_overlap(layout):
    frames, length, overlap = layout
    windows = lay_out(frames, length, overlap)
    assert (windows[0].start, windows[-1].stop) == (0, frames)
    assert all(w.stop - w.start == min(length, frames) for w in windows)
    for before, after in pairwise(windows):
        assert before.start < after.start <= before.stop - overlap


@given(LAYOUTS, st.integers(0, 9))
def test_windows_that_agree_come_out_exactly(layout, seed):
    windows = lay_out(*layout)
    clip = np.random.default_rng(seed).normal(0, 1e3, (layout[0], 2, 1, 3)).astype(np.float32)
    blend, out = Blend(windows), np.full_like(clip, np.nan)
    for index, window in enumerate(windows):
        begin, final = blend.add(index, clip[window.start : window.stop])
        out[begin : begin + len(final)] = final
    assert np.array_equal(out, clip)


def test_disagreeing_windows_are_averaged_with_pyramid_weights():
    windows = lay_out(6, 4, 2)
    answers = [np.full((4, 1, 1, 1), value, np.float32) for value in (0, 1)]
    blend = Blend(windows)
    out = np.concatenate([blend.add(k, answer)[1] for k, answer in enumerate(answers)]).ravel()
    # Frame 2 weighs 2 in the first window and 1 in the second, frame 3 the other way round.
    np.testing.assert_allclose(out, [0, 0, 1 / 3, 2 / 3, 1, 1], rtol=1e-6)
    assert pyramid(5).tolist() == [1, 2, 3, 2, 1]


def test_a_border_between_windows_does_not_jump():
    """Windows that disagree by 1 hand over in steps of at most 2 / (overlap + 1)."""
    windows = lay_out(200, 16, 8)
    blend = Blend(windows)
    out = np.concatenate([blend.add(k, np.full((16, 1), k, np.float32))[1] for k in range(len(windows))])
    assert np.abs(np.diff(out, axis=0)).max() <= 2 / 9 + 1e-6


def test_an_overlap_as_long_as_the_window_is_refused():
    with pytest.raises(SettingsError, match="smaller overlap"):
        lay_out(30, 8, 8)
