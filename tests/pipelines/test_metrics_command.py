import json
import signal
import sys
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from livelight.errors import InputError
from livelight.sources.file import VideoFileSource
from livelight.sources.synthetic import SyntheticSource
from pipelines import cli
from pipelines.face_identity import FaceIdentity, likeness
from pipelines.metrics import measure
from tests.clips import write_clip

SIZE = (192, 144)


def lossless(path, pictures):
    return write_clip(path, pictures, codec="ffv1", pix_fmt="bgr0")


def moving(count=6):
    return [SyntheticSource(*SIZE).image(4 * k) for k in range(count)]


def test_a_clip_against_itself(tmp_path):
    clip = lossless(tmp_path / "a.mkv", moving())
    figures = measure(clip, clip, clip, whole=True)
    assert figures["frames"] == 6
    assert (figures["rmse"], figures["psnr"]) == (0, 99)
    assert figures["ssim"] == figures["detail"] == pytest.approx(1)
    assert figures["warp"] < figures["flicker"]  # the person moves: adjacent frames differ, warped ones hardly


def test_known_differences(tmp_path):
    truth = moving()
    off = [np.clip(p.astype(int) + 20, 0, 255).astype(np.uint8) for p in truth]
    flickering = [np.clip(p.astype(int) + (20 if k % 2 else -20), 0, 255).astype(np.uint8) for k, p in enumerate(truth)]
    a, b, c = (lossless(tmp_path / f"{n}.mkv", p) for n, p in (("a", truth), ("b", off), ("c", flickering)))
    shifted, nervous = (measure(x, a, a, whole=True) for x in (b, c))
    assert shifted["rmse"] == pytest.approx(20 / 255, rel=0.02)
    assert shifted["psnr"] == pytest.approx(-20 * np.log10(20 / 255), abs=0.2)
    assert shifted["psnr_si"] > shifted["psnr"]
    assert shifted["warp"] < 0.03 < 0.14 < nervous["warp"]
    assert nervous["flicker"] > shifted["flicker"] + 0.05


def test_blur_costs_detail(tmp_path):
    random = np.random.default_rng(0)
    grainy = [np.clip(p + random.normal(0, 10, p.shape), 0, 255).astype(np.uint8) for p in moving(3)]
    soft = [cv2.GaussianBlur(p, (0, 0), 2) for p in grainy]
    a, b = lossless(tmp_path / "a.mkv", grainy), lossless(tmp_path / "b.mkv", soft)
    assert measure(b, None, a, whole=True)["detail"] < 0.6 < 0.99 < measure(a, None, a, whole=True)["detail"]


def test_the_border_that_a_codec_adds_to_odd_sides_is_not_measured(tmp_path):
    whole = moving(2)
    a = lossless(tmp_path / "a.mkv", [p[:-1, :-1] for p in whole])
    padded = [np.pad(p[:-1, :-1], ((0, 1), (0, 1), (0, 0)), "edge") for p in whole]
    figures = measure(lossless(tmp_path / "b.mkv", padded), a, a, whole=True)
    assert figures["psnr"] == 99
    assert figures["detail"] == pytest.approx(1)


def test_clips_of_another_shape_are_refused_and_of_another_size_scaled(tmp_path):
    wide = lossless(tmp_path / "wide.mkv", moving(2))
    square = lossless(tmp_path / "square.mkv", [p[:, :144] for p in moving(2)])
    for truth, source in ((square, None), (None, square)):
        with pytest.raises(
            InputError, match=r"square\.mkv is 144x144 and .*wide\.mkv 192x144; compare clips of the same"
        ):
            measure(wide, truth, source, whole=True)
    small = lossless(tmp_path / "small.mkv", [cv2.resize(p, (97, 72)) for p in moving(2)])
    assert measure(small, wide, wide, whole=True)["psnr"] > 20


def test_nobody_is_told_with_the_way_out(tmp_path):
    class Nobody:
        def segment(self, picture):
            return np.zeros(picture.shape[:2], np.float32)

    clip = lossless(tmp_path / "a.mkv", moving(2))
    with pytest.raises(InputError, match=r"Nobody was found in .*a\.mkv; --whole measures the whole picture"):
        measure(clip, clip, None, segmenter=Nobody())
    assert measure(clip, clip, None, whole=True, segmenter=Nobody())["psnr"] == 99


def test_a_black_picture_has_no_detail_to_compare(tmp_path):
    black = lossless(tmp_path / "a.mkv", [np.zeros_like(moving(1)[0])] * 2 + moving(2))
    assert measure(black, None, black, whole=True)["detail"] == pytest.approx(1)
    nothing = lossless(tmp_path / "b.mkv", [np.zeros_like(moving(1)[0])] * 2)
    assert "detail" not in measure(nothing, None, nothing, whole=True)


def test_the_command_prints_and_writes_json(tmp_path, monkeypatch, capfd):
    a, b = lossless(tmp_path / "a.mkv", moving(4)), lossless(tmp_path / "b.mkv", moving(3))
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["livelight", "metrics", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capfd.readouterr()

    status, told = run(a, "--truth", a, "--source", a, "--whole", "--json", tmp_path / "f.json")
    assert status == 0, told.err
    written = json.loads((tmp_path / "f.json").read_text())
    assert written["psnr"] == 99
    assert "psnr         99" in told.out
    status, told = run(a, "--truth", b, "--whole")
    assert status == 1
    assert "b.mkv has fewer frames" in told.err
    status, told = run(a, "--truth", tmp_path / "none.mp4")
    assert (status, len(told.err.splitlines())) == (1, 1)
    signal.signal(signal.SIGTERM, before)


def test_a_face_is_like_itself_and_an_empty_room_is_nobody():
    pytest.importorskip("dlib", reason="needs pip install 'livelight[identity]'")
    source = VideoFileSource(Path(str(files("pipelines") / "demo" / "talking.mp4")))
    first = next(iter(source)).image
    source.close()
    identity = FaceIdentity()
    face = identity.of(first)
    assert face.shape == (128,)
    assert likeness(face, face) == pytest.approx(1)
    darker = identity.of((first * 0.6).astype(np.uint8))
    assert 0.9 < likeness(face, darker) < 1
    assert identity.of(np.full((144, 192, 3), 90, np.uint8)) is None
