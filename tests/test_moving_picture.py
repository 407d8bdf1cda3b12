"""Background videos follow the clock, repeat, and fill the frame."""

import numpy as np
import pytest

from livelight.errors import LightError
from livelight.moving_picture import LoopingVideo, covering, open_moving_picture
from tests.clips import flat, write_clip

LEVELS = [20, 60, 100, 140, 180, 220]


@pytest.fixture
def video(tmp_path):
    path = write_clip(tmp_path / "b.mp4", [flat((v, v, v)) for v in LEVELS], rate=10)
    opened = LoopingVideo(path)
    yield opened
    opened.close()


def level(picture) -> float:
    return float(picture.mean())


def test_the_frame_of_each_moment_is_shown(video):
    shown = [level(video.at(t)) for t in (0.0, 0.05, 0.11, 0.31, 0.59)]
    assert shown == pytest.approx([20, 20, 60, 140, 220], abs=3)


def test_the_same_frame_is_the_same_array(video):
    assert video.at(0.21) is video.at(0.29)
    assert video.at(0.29) is not video.at(0.31)


def test_it_repeats_after_its_last_frame(video):
    shown = [level(video.at(t)) for t in (0.55, 0.61, 0.75, 1.25, 6.05)]
    assert shown == pytest.approx([220, 20, 60, 20, 20], abs=3)


def test_a_leap_over_several_repeats_and_a_step_back(video):
    assert level(video.at(3.35)) == pytest.approx(140, abs=3)
    assert level(video.at(0.0)) == pytest.approx(20, abs=3)


def test_covering_keeps_the_aspect_and_cuts_evenly():
    picture = np.zeros((40, 200, 3), np.uint8)
    picture[:, 80:120] = 255  # the middle square
    cut = covering(picture, 40, 40)
    assert cut.shape == (40, 40, 3)
    assert cut.min() == 255
    assert covering(picture, 1280, 720).shape == (720, 1280, 3)
    assert covering(picture, 200, 40) is not picture
    assert np.array_equal(covering(picture, 200, 40), picture)
    assert covering(np.zeros((1, 500, 3), np.uint8), 3, 700).shape == (700, 3, 3)


def test_what_is_neither_picture_nor_video_is_refused(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    with pytest.raises(LightError, match="neither a picture nor a video"):
        open_moving_picture(path)
    with pytest.raises(LightError, match="no such file"):
        open_moving_picture(tmp_path / "none.mp4")
