"""Where the head of the person in front is, told from the matte alone: from the top down to where the shoulders begin.

No face is looked for: a head that is turned away, or masked, is one too. A hand held above it may be taken for it, for
as long as it is there.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

AROUND = 1.7
"""Side of the square about a head, of the head's height."""
SMALLEST, NARROWEST = 0.02, 0.45
"""Part of the picture that a person must cover; and the square's side, of the root of that area: what is smaller is no
head."""
FAITHFUL = 1.5
"""How many times as much as another person one must cover to be looked at in their place."""
THIN = 0.2
"""What is thinner than this, of the root of the person's area, is an arm, a hand or a lock of hair."""
SHOULDERS = 1.45
"""How many times as wide as the head a row of them is."""
LONGEST = 1.6
"""Height of a head, of its width, at most."""
REMEMBERED = 5
"""Pictures of which the median counts: one hand that passes above a head does not move the square."""
MOVES, GROWS = 0.25, 0.1
"""Part of the way that the square goes in a frame."""
ELSEWHERE = 0.6
"""Of its side: from so far away on, the square does not move there, it is another one."""


@dataclass(frozen=True, slots=True)
class Square:
    """A square of a picture, all of it inside, in pixels: its left and upper edge, and its side."""

    left: float
    top: float
    side: float

    def whole(self, height: int, width: int) -> tuple[int, int, int]:
        """(left, top, side) in whole pixels, inside a picture of this size, an even side of at least 2."""
        side = max(min(round(self.side / 2) * 2, height // 2 * 2, width // 2 * 2), 2)
        return min(max(round(self.left), 0), width - side), min(max(round(self.top), 0), height - side), side


def head_of(matte: F32, before: Square | None = None) -> Square | None:
    """The square about the head of the person who covers most; None where hardly anybody is, or on top is no head.

    matte: float32 (h, w) in [0, 1], with square pixels. before: a square on the same grid, whose person keeps it until
    another one covers FAITHFUL times as much.
    """
    height, width = matte.shape
    count, labels, found, _ = cv2.connectedComponentsWithStats((matte > 0.5).astype(np.uint8))
    if count < 2:
        return None
    counts = found[:, cv2.CC_STAT_AREA].astype(float)
    counts[0] = 0
    if before is not None:
        middle = (np.array([before.top, before.left]) + before.side / 2).astype(int)
        counts[labels[tuple(np.minimum(middle, np.array(matte.shape) - 1))]] *= FAITHFUL
    largest = int(np.argmax(counts))
    area = int(found[largest, cv2.CC_STAT_AREA])
    if area < SMALLEST * matte.size:
        return None
    thin = max(int(THIN * math.sqrt(area)) // 2 * 2 + 1, 3)
    rows = _rows_of_body((labels == largest).astype(np.uint8), thin)
    widths = rows.sum(1).astype(np.float32)
    top = int(np.argmax(widths > 0))
    tall = _head_rows(widths[top : len(widths) - int(np.argmax(widths[::-1] > 0))], thin)
    x = float(np.median(np.nonzero(rows[top : top + max(int(tall), 1)])[1]))
    side = min(AROUND * tall, height, width)
    if side < NARROWEST * math.sqrt(area):
        return None
    left, above = x - side / 2, top + 0.55 * tall - side / 2
    return Square(min(max(left, 0), width - side), min(max(above, 0), height - side), side)


def _rows_of_body(person: NDArray[np.uint8], thin: int) -> NDArray[np.uint8]:
    """The person (h, w) in {0, 1} without what is thinner than ``thin`` pixels; all of them if nothing is thicker.

    What the picture cuts off at its sides and below goes on there.
    """
    height, width = person.shape
    wider = np.pad(np.pad(person, ((0, thin), (thin, thin)), mode="edge"), ((thin, 0), (0, 0)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thin, thin))
    body = cv2.morphologyEx(wider, cv2.MORPH_OPEN, disc)[thin : thin + height, thin : thin + width]
    return np.asarray(body if body.any() else person, np.uint8)


def _head_rows(widths: F32, thin: int) -> float:
    """Height of a head in rows, from how wide (n,) a person is from the head's top row on, where it is round."""
    smooth = cv2.blur(widths[:, None], (1, 5))[:, 0]
    end = len(widths)
    for row in range(max(thin // 2, 2), len(widths)):
        above = float(np.median(widths[:row]))
        if smooth[row] > SHOULDERS * above and row > 0.9 * above:
            end = row
            break
    return min(float(end), LONGEST * float(np.median(widths[:end])))


class HeadTrack:
    """The square about the head over a clip's frames: it glides, or it is another one."""

    def __init__(self) -> None:
        self._seen: deque[Square] = deque(maxlen=REMEMBERED)
        self._missed = 0
        self.square: Square | None = None

    def follow(self, matte: F32) -> bool:
        """Look at the next matte, all of one size. Whether ``square`` is a new one, or None; else it moved on, or stays
        where it was while no head is found, for REMEMBERED mattes.
        """
        found = head_of(matte, self.square)
        self._missed = 0 if found else self._missed + 1
        if found is None:
            if self.square and self._missed <= REMEMBERED:
                return False
            self._seen.clear()
            self.square = None
            return True
        self._seen.append(found)
        goal = np.median([(s.left, s.top, s.side) for s in self._seen], axis=0)
        if self.square is None:
            self.square = Square(*map(float, goal))
            return True
        now = np.array([self.square.left, self.square.top, self.square.side])
        middle = (goal[:2] + goal[2] / 2) - (now[:2] + now[2] / 2)
        if np.abs(middle).max() > ELSEWHERE * now[2] or not 0.5 < goal[2] / now[2] < 2:
            self.square = Square(*map(float, goal))
            return True
        side = now[2] + GROWS * (goal[2] - now[2])
        corner = now[:2] + now[2] / 2 + MOVES * middle - side / 2
        self.square = Square(float(corner[0]), float(corner[1]), float(side))
        return False
