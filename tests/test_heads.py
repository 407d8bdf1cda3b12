"""Heads, found in mattes of drawn people."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from livelight.heads import AROUND, REMEMBERED, HeadTrack, Square, head_of

H, W = 96, 168


def person(x: int = 84, y: int = 30, size: float = 1.0) -> NDArray[np.float32]:
    """A head 24 rows high about (x, y), a neck, and shoulders that go on below the picture."""
    matte = np.zeros((H, W), np.uint8)
    cv2.ellipse(matte, (x, y), (round(9 * size), round(12 * size)), 0, 0, 360, 1, -1)
    cv2.rectangle(matte, (x - round(5 * size), y), (x + round(5 * size), y + round(18 * size)), 1, -1)
    cv2.ellipse(matte, (x, y + round(40 * size)), (round(26 * size), round(24 * size)), 0, 0, 360, 1, -1)
    cv2.rectangle(matte, (x - round(26 * size), y + round(40 * size)), (x + round(26 * size), H), 1, -1)
    return matte.astype(np.float32)


def middle(square: Square) -> tuple[float, float]:
    return square.left + square.side / 2, square.top + square.side / 2


@pytest.mark.parametrize(("x", "y", "size"), [(84, 30, 1.0), (50, 25, 0.7), (120, 40, 0.5), (84, 40, 1.3)])
def test_the_square_is_about_the_head(x: int, y: int, size: float) -> None:
    square = head_of(person(x, y, size))
    assert square is not None
    assert middle(square) == pytest.approx((x, y), abs=5 * size + 1)
    assert square.side == pytest.approx(AROUND * 24 * size, rel=0.35)


def test_a_raised_arm_is_no_head() -> None:
    plain, raised = person(), person()
    cv2.line(raised, (112, 90), (122, 6), 1.0, 5)
    cv2.circle(raised, (122, 8), 5, 1.0, -1)
    squares = head_of(plain), head_of(raised)
    assert squares[0] is not None
    assert squares[1] is not None
    assert middle(squares[1]) == pytest.approx(middle(squares[0]), abs=2)


def test_the_one_who_covers_most_has_the_square() -> None:
    square = head_of(np.maximum(person(40, 20, 0.4), person(120, 34, 1.0)))
    assert square is not None
    assert middle(square)[0] == pytest.approx(120, abs=3)


def test_of_two_alike_the_one_who_had_it_keeps_it() -> None:
    track, left, right = HeadTrack(), person(40, 30, 0.8), person(125, 30, 0.8)
    track.follow(np.maximum(left, person(125, 34, 0.8)))
    first = track.square
    assert first is not None
    assert middle(first)[0] == pytest.approx(40, abs=3)
    for _ in range(2 * REMEMBERED):
        assert not track.follow(np.maximum(person(40, 34, 0.8), right))
    assert middle(track.square or first)[0] == pytest.approx(40, abs=3)


def test_a_face_that_fills_the_picture_is_shown_whole() -> None:
    square = head_of(np.ones((H, W), np.float32))
    assert square is not None
    assert square.side <= H
    left, top, side = square.whole(H, W)
    assert (top, side) == (0, 96)
    assert 0 <= left <= W - side


@pytest.mark.parametrize("matte", [np.zeros((H, W), np.float32), person(size=0.02) * 0.4])
def test_nobody_has_no_head(matte: NDArray[np.float32]) -> None:
    assert head_of(matte) is None


def test_a_tuft_on_a_large_head_is_no_head() -> None:
    matte = np.zeros((H, W), np.float32)
    cv2.ellipse(matte, (84, 74), (40, 44), 0, 0, 360, 1.0, -1)
    cv2.rectangle(matte, (76, 16), (92, 40), 1.0, -1)
    assert head_of(matte) is None


def test_whole_pixels_stay_inside_the_picture() -> None:
    assert Square(-3.0, 90.0, 31.4).whole(H, W) == (0, 64, 32)
    assert Square(160.0, -5.0, 500.0).whole(H, W) == (72, 0, 96)


def test_the_square_glides_after_the_head() -> None:
    track = HeadTrack()
    assert track.follow(person(80))
    start = track.square
    assert start is not None
    for k in range(1, 30):
        assert not track.follow(person(80 + min(k, 10)))
    assert track.square is not None
    assert middle(track.square)[0] == pytest.approx(middle(start)[0] + 10, abs=0.5)
    assert track.square.side == pytest.approx(start.side, rel=0.05)


def test_one_strange_matte_hardly_moves_it() -> None:
    track = HeadTrack()
    for _ in range(REMEMBERED):
        track.follow(person(60))
    before = track.square
    assert before is not None
    track.follow(person(130))
    assert track.square == before


def test_another_person_has_another_square_and_nobody_none() -> None:
    track = HeadTrack()
    for _ in range(REMEMBERED):
        track.follow(person(40, size=0.7))
    new = [track.follow(person(130, size=0.7)) for _ in range(REMEMBERED)]
    assert new.count(True) == 1
    assert track.square is not None
    assert middle(track.square)[0] == pytest.approx(130, abs=3)
    gone = [track.follow(np.zeros((H, W), np.float32)) for _ in range(REMEMBERED + 1)]
    assert gone == [False] * REMEMBERED + [True]
    assert track.square is None
