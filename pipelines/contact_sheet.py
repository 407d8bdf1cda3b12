"""The contact sheet: each environment as a panorama, on a mirror ball, on a grey ball and on a face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.color import linear_to_srgb8, luminance
from livelight.environment import Environment
from livelight.lighting import Light
from livelight.moving_picture import covering

Picture = NDArray[np.uint8]
RelitFace = Callable[[Light], Picture | None]
"""A face under a light: uint8 (h, w, 3) sRGB, any size; None where no face can be shown."""

CELL = 144
"""Height of every picture on the sheet, pixels; a panorama is twice as wide."""

GAP, MARGIN, CAPTION, HEADER, COLUMNS = 8, 24, 40, 64, 2

PAPER, INK, FAINT = (24, 25, 28), (236, 236, 236), (150, 152, 158)

BRIGHTEST = 16.0
"""Linear value that becomes white in panoramas and mirror balls (Reinhard's curve), so that lamps keep their colour."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One environment on the sheet: its name, a line about it, and itself, turned and exposed."""

    name: str
    summary: str
    environment: Environment


def contact_sheet(entries: Sequence[Entry], relit_face: RelitFace) -> Picture:
    """The sheet as uint8 (h, w, 3) sRGB: two columns of entries, read row by row."""
    cards = [_card(entry, relit_face) for entry in entries]
    height, width = cards[0].shape[:2]
    columns = min(COLUMNS, len(cards))
    rows = -(-len(cards) // columns)
    sheet = _paper(HEADER + rows * (height + 2 * GAP) + GAP, columns * (width + MARGIN) + MARGIN)
    _text(sheet, "LiveLight environments", (MARGIN, 30), 20, INK)
    legend = (
        "panorama: its centre is behind the person, its edges are at the camera;  balls and face: as the camera sees"
    )
    _text(sheet, legend, (MARGIN, 52), 13, FAINT)
    for index, card in enumerate(cards):
        y = HEADER + index // columns * (height + 2 * GAP)
        x = MARGIN + index % columns * (width + MARGIN)
        sheet[y : y + height, x : x + width] = card
    return sheet


def light_of(environment: Environment) -> Light:
    """The light of an environment alone: full strength, the frame's own background, no tone."""
    return Light(environment.light_code(), None, 0.0, 1.0, np.ones(3, np.float32))


def _card(entry: Entry, relit_face: RelitFace) -> Picture:
    environment = entry.environment
    face = relit_face(light_of(environment))
    pictures = [
        linear_to_srgb8(_compressed(environment.drawn(CELL))),
        _on_paper(_compressed(environment.mirror_ball(CELL))),
        _on_paper(environment.grey_ball(CELL)),
        *([] if face is None else [covering(face, CELL, CELL)]),
    ]
    card = _paper(CAPTION + CELL, sum(picture.shape[1] for picture in pictures) + GAP * (len(pictures) - 1))
    _text(card, entry.name, (0, 28), 17, INK)
    _text(card, entry.summary, (_text_width(entry.name, 17) + 12, 28), 13, FAINT)
    x = 0
    for picture in pictures:
        card[CAPTION:, x : x + picture.shape[1]] = picture
        x += picture.shape[1] + GAP
    return card


def _compressed(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reinhard's curve on luminance, white at BRIGHTEST: (h, w, 3) linear in, linear [0, about 1] out."""
    level = luminance(linear)[:, :, None]
    return np.asarray(linear * (1 + level / BRIGHTEST**2) / (1 + level), np.float32)


def _on_paper(ball: NDArray[np.float32]) -> Picture:
    """A ball, linear and black outside, set on the sheet's paper."""
    size = ball.shape[0]
    c = (np.arange(size) + 0.5) / size * 2 - 1
    outside = np.clip((np.hypot(*np.meshgrid(c, c)) - 1) * size / 2 + 0.5, 0, 1)[:, :, None]
    return np.asarray(np.rint(linear_to_srgb8(ball) * (1 - outside) + np.array(PAPER) * outside), np.uint8)


def _paper(height: int, width: int) -> Picture:
    return np.full((height, width, 3), PAPER, np.uint8)


def _text(picture: Picture, text: str, at: tuple[int, int], size: int, color: tuple[int, int, int]) -> None:
    """Draw text with its baseline's left end at (x, y), in OpenCV's own sans typeface."""
    cv2.putText(picture, text, at, color, cv2.FontFace("sans"), size, 400)


def _text_width(text: str, size: int) -> int:
    return int(cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace("sans"), size, 400)[2])
