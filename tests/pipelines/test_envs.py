"""``livelight envs``: the list, the copy to edit, the contact sheet."""

from pathlib import Path

import av
import cv2
import numpy as np
import OpenEXR
import pytest

from livelight.environment import Environment
from livelight.errors import LightError, OutputError
from livelight.rig import load_preset, load_rig, rig_names
from livelight.rig_panorama import rendered
from pipelines.contact_sheet import CAPTION, CELL, GAP, HEADER, MARGIN, Entry, contact_sheet
from pipelines.envs import copy_preset, envs_command, listed_files
from pipelines.relit_face import middle_frame
from tests.clips import flat, write_clip


def entry(name: str) -> Entry:
    return Entry(name, "a line about it", Environment.from_image(rendered(load_preset(name))).exposed(0.0))


def test_the_list_names_every_preset(capsys):
    envs_command([], None, None, None)
    shown = capsys.readouterr().out
    assert all(name in shown for name in rig_names())


def test_a_copied_preset_is_a_rig_that_can_be_used_and_is_never_overwritten(tmp_path):
    target = tmp_path / "my.toml"
    copy_preset("softbox-left", target)
    assert load_rig(target) == load_preset("softbox-left")
    with pytest.raises(OutputError, match="is there already"):
        copy_preset("rim", target)
    with pytest.raises(OutputError, match="cannot be written"):
        copy_preset("rim", tmp_path / "no" / "folder.toml")
    with pytest.raises(LightError, match="rembrandt"):
        copy_preset("rembrant", tmp_path / "other.toml")
    assert not (tmp_path / "other.toml").exists()


@pytest.mark.parametrize(("name", "better"), [("my.mp4", "my.toml"), ("my", "my.toml"), ("", "rim.toml")])
def test_a_copy_that_env_would_not_know_as_a_rig_is_refused(tmp_path, monkeypatch, name, better):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=rf"is a \.toml file, not '{name}'; call it {better}"):
        copy_preset("rim", Path(name))
    assert list(tmp_path.iterdir()) == []
    copy_preset("rim", Path("MY.TOML"))
    assert load_rig(tmp_path / "MY.TOML") == load_preset("rim")


def test_what_is_no_environment_in_a_folder_is_told_and_left_out(tmp_path, capsys):
    copy_preset("neon", tmp_path / "good.toml")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert [Path(item.env).name for item in listed_files([tmp_path])] == ["good.toml"]
    told = capsys.readouterr().err
    assert "pyproject.toml" in told
    assert "gone.png" in told
    with pytest.raises(LightError, match="pyproject"):
        listed_files([tmp_path / "pyproject.toml"])


def test_files_and_folders_are_listed_by_kind(tmp_path):
    cv2.imwrite(str(tmp_path / "b.hdr"), np.ones((4, 8, 3), np.float32))
    cv2.imwrite(str(tmp_path / "a.png"), np.ones((4, 8, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("nothing")
    copy_preset("neon", tmp_path / "c.toml")
    listed = listed_files([tmp_path, Path("rim")])
    assert [(Path(item.env).name, item.kind) for item in listed] == [
        ("a.png", "panorama"), ("b.hdr", "panorama"), ("c.toml", "rig"), ("rim", "rig")
    ]  # fmt: skip
    (tmp_path / "empty").mkdir()
    with pytest.raises(LightError, match="no environments"):
        listed_files([tmp_path / "empty"])
    with pytest.raises(LightError, match="did you mean"):
        listed_files([Path("ring-lihgt")])


def nan_panorama(path):
    image = np.ones((8, 16, 3), np.float32)
    image[2, 3] = np.nan
    OpenEXR.File({"type": OpenEXR.scanlineimage}, {"RGB": image}).write(str(path))


def sound_alone(path):
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        file.mux([*stream.encode(frame), *stream.encode(None)])


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("text.mp4", lambda path: path.write_text("no video at all")),
        ("text.hdr", lambda path: path.write_text("no panorama at all")),
        ("sound.mp4", sound_alone),
        ("nan.exr", nan_panorama),
        ("square.hdr", lambda path: cv2.imwrite(str(path), np.ones((8, 8, 3), np.float32))),
        ("half.png", lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n")),
        ("gone.hdr", lambda path: None),
        ("folder", Path.mkdir),
    ],
)
def test_a_file_that_gives_no_light_is_told_in_one_sentence(tmp_path, capsys, name, make):
    make(tmp_path / name)
    with pytest.raises(LightError, match=name) as caught:
        listed_files([Path("rim"), tmp_path / name])
    assert "\n" not in str(caught.value)
    copy_preset("neon", tmp_path / "good.toml")
    assert [Path(item.env).name for item in listed_files([tmp_path])] == ["good.toml"]
    assert (name in capsys.readouterr().err) == (name not in ("folder", "gone.hdr"))


def test_moving_and_still_pictures_are_listed(tmp_path):
    write_clip(tmp_path / "a.mp4", [flat((90, 90, 90), 64, 64)] * 3)
    cv2.imwrite(str(tmp_path / "b.png"), flat((90, 90, 90), 64, 64))
    assert [item.kind for item in listed_files([tmp_path])] == ["video", "picture"]


@pytest.mark.parametrize("name", ["sheet.gif", "sheet", "no/such/folder/sheet.png"])
def test_a_sheet_that_cannot_be_written_is_refused_before_it_is_drawn(tmp_path, name):
    with pytest.raises(OutputError, match="expected a"):
        envs_command([], tmp_path / name, None, None)


@pytest.mark.parametrize("taken", ["face.png", "env.png", "earlier.png", "link.png"])
def test_a_sheet_never_replaces_a_file_be_it_what_it_is_drawn_from(tmp_path, taken):
    for name in ("face.png", "env.png", "earlier.png"):
        cv2.imwrite(str(tmp_path / name), flat((9, 9, 9)))
    (tmp_path / "link.png").symlink_to(tmp_path / "face.png")
    before = (tmp_path / taken).read_bytes()
    with pytest.raises(OutputError, match=f"{taken} is there already; choose another name"):
        envs_command([tmp_path / "env.png"], tmp_path / taken, None, tmp_path / "face.png")
    assert (tmp_path / taken).read_bytes() == before


def test_a_sheet_is_drawn_into_a_new_file(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.relit_face.open_face", lambda path: lambda light: None)
    envs_command([Path("rim")], tmp_path / "sheet.png", None, None)
    assert cv2.imread(str(tmp_path / "sheet.png")).shape[1] == 2 * MARGIN + 4 * CELL + 2 * GAP


def test_a_frame_halfway_through_the_clip_is_the_face(tmp_path):
    path = write_clip(tmp_path / "f.mp4", [flat((v, v, v), 64, 1080) for v in (20, 80, 140, 200)], rate=10)
    frame = middle_frame(path)
    assert frame.image.shape[0] == 720
    assert frame.image.mean() == pytest.approx(140, abs=3)
    cv2.imwrite(str(tmp_path / "f.png"), flat((9, 9, 9)))
    assert middle_frame(tmp_path / "f.png").image.mean() == 9


def test_the_sheet_shows_each_light_on_balls_and_face():
    lights = []

    def face(light):
        lights.append(light)
        return np.full((30, 40, 3), 90, np.uint8)

    sheet = contact_sheet([entry("split"), entry("softbox-right"), entry("overcast")], face)
    assert len(lights) == 3
    assert lights[0].code.shape == (16, 16, 3)
    top, left = HEADER + CAPTION, MARGIN
    card = sheet[top : top + CELL, left : left + 5 * CELL + 3 * GAP]
    ball = card[:, 3 * CELL + 2 * GAP : 4 * CELL + 2 * GAP].astype(float)  # split: grey ball lit from the left
    assert ball[40:100, 10:50].mean() > 2 * ball[40:100, -50:-10].mean()
    assert (card[:, 4 * CELL + 3 * GAP :] == 90).all()
    one = contact_sheet([entry("split")], lambda light: None)
    assert one.shape[1] == 2 * MARGIN + 4 * CELL + 2 * GAP
