"""Files, stills and the test pattern as cameras."""

import itertools
import threading
from fractions import Fraction

import cv2
import numpy as np
import pytest

from livelight.errors import DeviceError, InputError
from livelight.sources import LiveSource
from livelight.sources.camera import CameraSource, mode_options, nearest_mode
from livelight.sources.camera_list import Camera, CameraMode, find_camera
from livelight.sources.choice import CameraChoice
from livelight.sources.real_time import RealTimeSource
from livelight.sources.synthetic import SyntheticSource
from tests.clips import moving, write_clip

WEBCAM = (
    CameraMode("YUYV", 640, 480, (Fraction(30),)),
    CameraMode("YUYV", 1280, 720, (Fraction(10),)),
    CameraMode("MJPG", 640, 480, (Fraction(30),)),
    CameraMode("MJPG", 1280, 720, (Fraction(30), Fraction(15))),
    CameraMode("MJPG", 1920, 1080, (Fraction(30),)),
    CameraMode("H264", 1280, 720, (Fraction(30),)),
)


def first(source, count):
    try:
        return list(itertools.islice(source, count))
    finally:
        source.close()


def test_a_clip_goes_on_across_its_seam():
    source = RealTimeSource(lambda: SyntheticSource(32, 24, 120, 5, start_pts=7))
    frames = first(source, 12)
    assert isinstance(source, LiveSource)
    assert [f.pts for f in frames] == list(range(12))
    assert np.array_equal(frames[5].image, frames[0].image)
    gaps = np.diff([f.captured_s for f in frames])
    assert (gaps >= 0).all()
    assert sum(gaps) >= 11 / 120 * 0.9  # in real time, and never faster


def test_a_still_and_a_file_as_camera(tmp_path):
    cv2.imwrite(str(tmp_path / "me.png"), np.full((24, 32, 3), 77, np.uint8))
    frames = first(CameraChoice(str(tmp_path / "me.png"), 64, 48, 100)(), 5)
    assert [f.time_s for f in frames] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])
    assert frames[4].image[3, 3, 0] == 77
    clip = write_clip(tmp_path / "me.mp4", moving(4), rate=100)
    choice = CameraChoice(str(clip), 64, 48, 30)
    assert not choice.is_device
    assert [f.time_s for f in first(choice(), 6)] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05])


def test_the_test_pattern():
    frames = first(CameraChoice("pattern", 64, 48, 60)(), 3)
    assert frames[0].image.shape == (48, 64, 3)


def test_end_from_another_thread():
    source = RealTimeSource(lambda: SyntheticSource(32, 24, Fraction(1, 100), None))
    timer = threading.Timer(0.2, source.end)
    timer.start()
    assert len(list(source)) == 1
    timer.join()


def test_wrong_files_are_told():
    with pytest.raises(InputError, match="does not exist"):
        CameraChoice("nothing.mp4", 64, 48, 30)()
    with pytest.raises(InputError, match="does not exist"):
        CameraChoice("folder/nothing", 64, 48, 30)()


def test_cameras_by_name_number_and_path(tmp_path):
    cameras = [
        Camera(0, "LiveLight", "/dev/video0", virtual=True),
        Camera(2, "Integrated Camera", "/dev/video2"),
        Camera(4, "Logitech BRIO", "/dev/video4"),
    ]
    assert find_camera(None, cameras).number == 2
    assert find_camera("4", cameras).name == "Logitech BRIO"
    assert find_camera("brio", cameras).number == 4
    assert find_camera("/dev/video0", cameras).number == 0
    with pytest.raises(DeviceError, match="2 'Integrated Camera'"):
        find_camera("obs", cameras)
    with pytest.raises(DeviceError, match="no camera; plug"):
        find_camera(None, [])
    refused = Camera(0, "video0", "/dev/video0", problem="/dev/video0 may not be opened.")
    with pytest.raises(DeviceError, match="may not be opened"):
        find_camera(None, [refused])


def test_a_camera_is_found_again_under_another_number():
    cameras = [Camera(2, "BRIO", "/dev/video2"), Camera(3, "LiveLight", "/dev/video9")]
    choice = CameraChoice(None, 64, 48, 30, lambda: cameras, other_than="/dev/video9")
    assert choice.find().number == 2
    cameras[:] = [Camera(0, "Other", "/dev/video0"), Camera(5, "BRIO", "/dev/video5")]
    assert choice.find().number == 5
    assert choice.name == "BRIO"
    cameras[:] = []
    with pytest.raises(DeviceError):
        choice.find()


def test_modes_mjpg_from_720_lines_on():
    def chosen(width, height, rate=30):
        mode = nearest_mode(WEBCAM, width, height, Fraction(rate))
        return mode.pixel_format, mode.width, mode.height

    assert chosen(1280, 720) == ("MJPG", 1280, 720)
    assert chosen(640, 480) == ("YUYV", 640, 480)
    assert chosen(800, 600) == ("MJPG", 1280, 720)
    assert chosen(3840, 2160) == ("MJPG", 1920, 1080)
    assert nearest_mode((), 1280, 720, Fraction(30)) is None
    assert mode_options(Camera(0, "c", "/dev/video0", modes=WEBCAM), 1280, 720, Fraction(24)) == {
        "fflags": "2097156",
        "video_size": "1280x720",
        "input_format": "mjpeg",
        "framerate": "15",
    }


def test_a_device_that_is_no_camera_is_told(tmp_path):
    with pytest.raises(DeviceError, match=r"'gone' .*not there; plug it in"):
        CameraSource(Camera(9, "gone", str(tmp_path / "video9")), 64, 48, 30)
