from __future__ import annotations

import cv2
import numpy as np
import pytest

from livelight.box import Box, around, grown, inside, span


@pytest.mark.parametrize("full", [(72, 128), (128, 72), (90, 161), (97, 101)])
@pytest.mark.parametrize("cover", [(slice(0, 9), slice(30, 31)), (slice(40, 71), slice(50, 72))])
def test_a_box_interpolates_as_the_whole_picture_does(full: tuple[int, int], cover: Box) -> None:
    small = np.random.default_rng(1).random((32, 48), np.float32)
    whole = cv2.resize(small, (full[1], full[0]))
    box, origin = around([cover], full, small.shape)
    part = cv2.resize(small[origin], (box[1].stop - box[1].start, box[0].stop - box[0].start))
    assert np.abs(part[inside(cover, box)] - whole[cover]).max() < 1e-5


def test_a_common_frame_is_cut_and_not_taken_whole() -> None:
    box, origin = around([(slice(300, 500), slice(500, 700))], (720, 1280), (192, 336))
    assert box == (slice(285, 525), slice(400, 800))
    assert origin == (slice(76, 140), slice(105, 210))


def test_span_and_grown() -> None:
    assert span(np.array([0, 0, 1, 0, 2, 0], np.float32)) == slice(2, 5)
    assert span(np.zeros(4, np.float32)) is None
    assert grown((slice(1, 3), slice(5, 9)), 2, (8, 10, 3)) == (slice(0, 5), slice(3, 10))
