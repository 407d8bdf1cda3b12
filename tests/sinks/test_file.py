import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livelight.errors import OutputError, SettingsError
from livelight.frame import Frame
from livelight.nvidia_video import nvenc_fault
from livelight.sinks.codecs import CODECS, CONTAINERS, quality_options
from livelight.sinks.file import VideoFileSink
from livelight.sources.file import VideoFileSource
from tests.clips import flat, moving, packets_of, pictures_of, write_clip


def frame(image, pts=0, time_base=Fraction(1, 30)):
    return Frame(image, pts, time_base, 0.0)


def copy(source_path, target, **settings):
    """What the pipeline does, without the relighter."""
    source = VideoFileSource(source_path)
    sink = VideoFileSink(
        target, rate=source.rate, pixel_aspect=source.pixel_aspect, copy_from=source_path, overwrite=True, **settings
    )
    for each in source:
        sink.write(each)
    sink.close()
    source.close()
    return sink


def write(path, images, **settings):
    sink = VideoFileSink(path, **settings)
    for index, image in enumerate(images):
        sink.write(frame(image, index))
    sink.close()
    return sink


GOOD_PAIRS = [
    ("h264", ".mp4"),
    ("h264", ".mov"),
    ("h264", ".mkv"),
    ("hevc", ".mp4"),
    ("vp9", ".webm"),
    ("vp9", ".mp4"),
    ("av1", ".mp4"),
    ("av1", ".webm"),
    ("ffv1", ".mkv"),
    ("prores", ".mov"),
]


@pytest.mark.parametrize(("codec", "suffix"), GOOD_PAIRS)
def test_every_codec_keeps_times_size_and_picture(tmp_path, codec, suffix):
    path = tmp_path / f"a{suffix}"
    pts = [0, 3000, 4500, 30000, 36000, 90000]
    images = moving(6, 64, 48)
    sink = VideoFileSink(path, codec=codec)
    for moment, image in zip(pts, images, strict=True):
        sink.write(frame(image, moment, Fraction(1, 90000)))
    sink.close()
    seen = pictures_of(path)
    exact = suffix in (".mp4", ".mov")
    for (time_s, picture), moment, image in zip(seen, pts, images, strict=True):
        assert abs(time_s - Fraction(moment, 90000)) <= (0 if exact else Fraction(1, 1000))
        assert picture.shape == image.shape
        assert np.abs(picture.astype(int) - image).mean() < (0.5 if codec == "ffv1" else 8)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("base", [Fraction(1, 30), Fraction(1, 90000)])
def test_hevc_of_very_few_frames(tmp_path, count, base):
    """x265 leaves the decoding times of such clips undefined; repeated, since the undefined is different each time."""
    for _ in range(4):
        sink = VideoFileSink(tmp_path / "a.mp4", codec="hevc", overwrite=True)
        for index, image in enumerate(moving(count, 16, 16)):
            sink.write(frame(image, index * base.denominator // 30, base))
        sink.close()
        assert [time_s for time_s, _ in pictures_of(tmp_path / "a.mp4")] == [Fraction(i, 30) for i in range(count)]


BASES = [Fraction(1, 90000), Fraction(1, 15360), Fraction(1001, 30000), Fraction(1, 1000), Fraction(1, 25)]


@given(
    base=st.sampled_from(BASES),
    start=st.integers(0, 300_000),
    steps=st.lists(st.integers(1, 200_000), max_size=30),
    suffix=st.sampled_from([".mp4", ".mov"]),
    codec=st.sampled_from(["h264", "hevc"]),
)
@settings(deadline=None, max_examples=40)
def test_any_times_survive_exactly(tmp_path_factory, base, start, steps, suffix, codec):
    pts = list(accumulate(steps, initial=start))
    path = tmp_path_factory.mktemp("times") / f"a{suffix}"
    sink = VideoFileSink(path, codec=codec)
    for moment, image in zip(pts, moving(len(pts), 16, 16), strict=True):
        sink.write(frame(image, moment, base))
    sink.close()
    assert [time_s for time_s, _ in pictures_of(path)] == [moment * base for moment in pts]


def test_ffv1_is_lossless(tmp_path):
    images = list(np.random.default_rng(1).integers(0, 256, (3, 47, 65, 3), np.uint8))
    write(tmp_path / "a.mkv", images, codec="ffv1")
    source = VideoFileSource(tmp_path / "a.mkv")
    assert all(np.array_equal(a.image, b) for a, b in zip(source, images, strict=True))


def test_auto_takes_what_the_container_likes(tmp_path):
    for suffix, name in ((".mp4", "h264"), (".webm", "vp9")):
        write(tmp_path / f"a{suffix}", moving(2))
        with av.open(str(tmp_path / f"a{suffix}")) as container:
            assert container.streams.video[0].codec_context.codec.canonical_name == name


def test_impossible_pairs_name_the_possible_ones(tmp_path):
    bad = [
        (codec, suffix)
        for codec in CODECS
        for suffix in CONTAINERS
        if (codec, suffix)
        in {("h264", ".webm"), ("hevc", ".webm"), ("ffv1", ".mov"), ("prores", ".mp4"), ("prores", ".webm")}
    ]
    assert len(bad) == 5
    for codec, suffix in bad:
        with pytest.raises(SettingsError, match=f"{suffix} file cannot hold {codec}; name the output"):
            VideoFileSink(tmp_path / f"a{suffix}", codec=codec)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "settings", "word"),
    [
        ("a.avi", {}, ".mp4"),
        ("a", {}, ".mp4"),
        ("a.mp4", {"codec": "divx"}, "h264"),
        ("a.mp4", {"crf": 99}, "0 .* to 51"),
        ("a.mkv", {"codec": "ffv1", "crf": 3}, "no meaning"),
    ],
)
def test_wrong_settings_are_named(tmp_path, name, settings, word):
    with pytest.raises(SettingsError, match=word):
        VideoFileSink(tmp_path / name, **settings)
    assert list(tmp_path.iterdir()) == []


def test_crf_changes_the_size(tmp_path):
    images = list(np.random.default_rng(1).integers(0, 256, (4, 64, 64, 3), np.uint8))
    write(tmp_path / "good.mp4", images, crf=5)
    write(tmp_path / "poor.mp4", images, crf=45)
    assert (tmp_path / "good.mp4").stat().st_size > 3 * (tmp_path / "poor.mp4").stat().st_size


@pytest.mark.parametrize(("codec", "suffix"), GOOD_PAIRS)
@pytest.mark.parametrize("size", [(1, 1), (65, 47)])
def test_odd_and_tiny_sizes(tmp_path, codec, suffix, size):
    """Codecs that cannot hold the size pad it by repeating the border, and say so; the others keep it."""
    sink = write(tmp_path / f"a{suffix}", [flat((180, 90, 60), *size)] * 2, codec=codec)
    (_, picture), *_ = pictures_of(tmp_path / f"a{suffix}")
    padded = picture.shape[:2] != size[::-1]
    assert padded == (codec in ("h264", "hevc", "prores") or (codec == "av1" and size == (1, 1)))
    assert bool(sink.notes) == padded
    assert picture.shape[1] >= size[0]
    assert picture.shape[0] >= size[1]
    assert picture.shape[1] - size[0] <= (1 if size[0] > 16 else 15)
    assert np.ptp(picture.reshape(-1, 3), axis=0).max() <= 12


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1", "prores"])
def test_colours_survive_and_are_tagged_rec709_limited(tmp_path, codec):
    path = tmp_path / "a.mov" if codec == "prores" else tmp_path / "a.mkv"
    for colour in [(200, 60, 30), (20, 200, 60), (128, 128, 128), (255, 255, 255), (0, 0, 0)]:
        write(path, [flat(colour)] * 2, codec=codec, crf=None if codec == "prores" else 4, overwrite=True)
        source = VideoFileSource(path)
        assert np.abs(next(iter(source)).image.astype(int) - colour).max() <= 4
        source.close()
        with av.open(str(path)) as container:
            first = next(container.decode(video=0))
            assert (first.colorspace, first.color_primaries, first.color_trc, first.color_range) == (1, 1, 1, 1)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize(("video_start_s", "audio_start_s"), [(0, 0), (1, 0), (0, 0.5), (2, 2)])
def test_sound_is_untouched_and_in_sync(tmp_path, name, video_start_s, audio_start_s):
    """A flash at a known time; audio packets byte for byte, at the same distance from the flash."""
    images = [flat((16, 16, 16)) for _ in range(30)]
    images[12] = flat((250, 250, 250))
    pts = [3003 * index + 90000 * video_start_s for index in range(30)]
    original = write_clip(
        tmp_path / f"in_{name}",
        images,
        time_base=Fraction(1, 90000),
        pts=pts,
        audio_s=2.5,
        audio_start_s=audio_start_s,
    )
    copy(original, tmp_path / name)

    def flash(path):
        return next(time for time, picture in pictures_of(path) if picture.mean() > 128)

    old, new = packets_of(original, "audio"), packets_of(tmp_path / name, "audio")
    assert [data for *_, data in old] == [data for *_, data in new]
    slack = 0 if name != "a.mkv" else Fraction(1, 1000)
    for (old_s, *_), (new_s, *_) in zip(old, new, strict=True):
        assert abs((new_s - flash(tmp_path / name)) - (old_s - flash(original))) <= slack
    if name != "a.mkv":
        assert flash(tmp_path / name) == flash(original)
        assert old[0][0] == new[0][0]


def test_sound_longer_than_the_picture_is_whole(tmp_path):
    original = write_clip(tmp_path / "in.mp4", moving(10), audio_s=5)
    copy(original, tmp_path / "out.mp4")
    assert len(packets_of(tmp_path / "out.mp4", "audio")) == len(packets_of(original, "audio")) > 230


def test_mp4_edit_list_that_hides_the_start(tmp_path):
    """A clip cut without re-encoding: its packets before the cut stay in the file, hidden by an edit list."""
    whole = write_clip(tmp_path / "whole.mp4", moving(60), options={"g": "60", "bf": "0"}, audio_s=2)
    cut = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as output:
        targets = {s.index: output.add_stream_from_template(s, opaque=True) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            shift = round(Fraction(1, 2) / packet.time_base)  # half a second before zero: hidden
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = targets[packet.stream.index]
            output.mux(packet)
    shown = pictures_of(cut)
    assert len(shown) < 60  # the edit list hides frames, or this test shows nothing
    copy(cut, tmp_path / "out.mp4")
    assert [time for time, _ in pictures_of(tmp_path / "out.mp4")] == [time for time, _ in shown]
    old, new = packets_of(cut, "audio"), packets_of(tmp_path / "out.mp4", "audio")
    sounding = [(time, data) for time, _, data in old if time >= 0]
    assert [(time, data) for time, _, data in new if time >= 0] == sounding


def test_tags_chapters_and_language_are_copied(tmp_path):
    chapters = [
        {"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}},
        {"id": 2, "start": 500, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "Two"}},
    ]
    tags = {"title": "A title", "comment": "Ünïcode", "artist": "Me"}
    for suffix in (".mp4", ".mkv"):
        original = write_clip(tmp_path / f"in{suffix}", moving(30), metadata=tags, chapters=chapters, audio_s=1)
        copy(original, tmp_path / f"out{suffix}")
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            found = {key.lower(): value for key, value in container.metadata.items()}
            assert tags.items() <= found.items()
            assert [c["metadata"]["title"] for c in container.chapters()] == ["One", "Two"]
            assert len(container.streams.data) <= 1  # the chapter track of mp4, once


def test_apple_tags_survive_in_mov(tmp_path):
    tags = {"com.apple.quicktime.model": "iPhone", "com.apple.quicktime.location.ISO6709": "+52.5+013.4/"}
    original = write_clip(
        tmp_path / "in.mov", moving(3), metadata=tags, container_options={"movflags": "use_metadata_tags"}
    )
    copy(original, tmp_path / "out.mov")
    with av.open(str(tmp_path / "out.mov")) as container:
        assert tags.items() <= container.metadata.items()


def with_extras(path):
    """A Matroska clip with subtitles and an attached font."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        words = output.add_mux_stream("subrip")
        words.metadata["language"] = "ger"
        output.add_attachment("font.ttf", "font/ttf", b"not really a font")
        for index, image in enumerate(moving(30)):
            each = av.VideoFrame.from_ndarray(image).reformat(format="yuv420p")
            each.pts, each.time_base = index, Fraction(1, 30)
            output.mux(video.encode(each))
            if index in (5, 20):
                line = av.Packet(b"Guten Tag")
                line.pts = line.dts = index * 1000 // 30
                line.time_base, line.duration, line.stream = Fraction(1, 1000), 400, words
                output.mux(line)
        output.mux(video.encode(None))
    return path


def test_subtitles_and_attachments_are_copied(tmp_path):
    original = with_extras(tmp_path / "in.mkv")
    copy(original, tmp_path / "out.mkv")
    assert packets_of(tmp_path / "out.mkv", "subtitles") == packets_of(original, "subtitles")
    assert len(packets_of(original, "subtitles")) == 2
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.subtitles[0].metadata["language"] == "ger"
        assert container.streams.attachments[0].data == b"not really a font"


@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".mp4"), ("h264", ".mkv"), ("vp9", ".mkv"), ("hevc", ".mov")])
def test_slides_are_held_as_long_as_they_were(tmp_path, codec, suffix):
    """The last one too, which no later frame ends; and reading such a clip does not call it truncated."""
    held, starts = [40, 10, 40, 5, 60], [0, 40, 50, 90, 95]
    slides = tmp_path / "slides.mkv"
    sink = VideoFileSink(slides, codec="ffv1", rate=Fraction(10))
    for image, pts, duration in zip(moving(5), starts, held, strict=True):
        sink.write(replace(frame(image, pts, Fraction(1, 10)), duration=duration))
    sink.close()
    for source, target in (
        (slides, tmp_path / f"once{suffix}"),
        (tmp_path / f"once{suffix}", tmp_path / f"twice{suffix}"),
    ):
        copy(source, target, codec=codec)
        with av.open(str(target)) as container:
            assert container.duration / 1e6 == pytest.approx(15.5, abs=0.01)
            assert [round(float(f.pts * f.time_base), 2) for f in container.decode(video=0)] == [0, 4, 5, 9, 9.5]


def test_what_the_container_cannot_hold_is_left_out_with_a_word(tmp_path):
    sink = copy(with_extras(tmp_path / "in.mkv"), tmp_path / "out.mp4")
    assert len(pictures_of(tmp_path / "out.mp4")) == 30
    assert any("subtitle" in note and "left out" in note for note in sink.notes)


def test_sound_that_cannot_be_held_is_an_error(tmp_path):
    original = write_clip(tmp_path / "in.mp4", moving(10), audio_s=1)
    with pytest.raises(OutputError, match=r"\.webm file cannot hold the audio \(aac\) of /.*in\.mp4; .*\.mkv"):
        copy(original, tmp_path / "out.webm")


def test_cover_art_is_not_the_picture_and_is_kept(tmp_path):
    original = write_clip(tmp_path / "plain.mp4", moving(10), audio_s=0.3)
    covered = tmp_path / "covered.mp4"
    with av.open(str(original)) as source, av.open(str(covered), "w") as output:
        cover = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = 1024
        targets = {s.index: output.add_stream_from_template(s, opaque=True) for s in source.streams}
        each = av.VideoFrame.from_ndarray(flat((255, 0, 0), 32, 32)).reformat(format="yuvj420p")
        for packet in [*cover.encode(each), *cover.encode(None)]:
            output.mux(packet)
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = targets[packet.stream.index]
                output.mux(packet)
    copy(covered, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        sizes = {(s.width, s.height, bool(s.disposition & 1024)) for s in container.streams.video}
    assert sizes == {(64, 48, False), (32, 32, True)}


def test_rotation_tag_is_gone(tmp_path):
    original = write_clip(tmp_path / "in.mp4", moving(3), rotation=(-90, False, False))
    copy(original, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        first = next(container.decode(video=0))
    assert (first.width, first.height, first.rotation) == (48, 64, 0)


def test_pixel_aspect_is_kept(tmp_path):
    original = write_clip(tmp_path / "in.mp4", moving(3), pixel_aspect=Fraction(4, 3))
    for suffix in (".mp4", ".mkv", ".mov"):
        copy(original, tmp_path / f"out{suffix}")
        source = VideoFileSource(tmp_path / f"out{suffix}")
        assert source.pixel_aspect == Fraction(4, 3), suffix


def test_the_name_appears_only_at_the_end(tmp_path):
    path = tmp_path / "a.mp4"
    sink = VideoFileSink(path)
    sink.write(frame(flat((1, 2, 3))))
    assert not path.exists()
    sink.close()
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    sink.close()
    sink.abort()
    assert path.exists()


def test_abort_leaves_nothing(tmp_path):
    sink = VideoFileSink(tmp_path / "a.mp4")
    sink.write(frame(flat((1, 2, 3))))
    sink.abort()
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_partial_is_playable_and_cuts_the_sound(tmp_path):
    original = write_clip(tmp_path / "in.mp4", moving(60), audio_s=10)
    sink = VideoFileSink(tmp_path / "out.mp4", copy_from=original)
    for each in list(VideoFileSource(original))[:30]:
        sink.write(each)
    assert sink.keep_partial() == tmp_path / "out.partial.mp4"
    assert len(pictures_of(tmp_path / "out.partial.mp4")) == 30
    assert 0.7 < packets_of(tmp_path / "out.partial.mp4", "audio")[-1][0] < 1.3
    assert not (tmp_path / "out.mp4").exists()


def test_a_partial_replaces_nothing(tmp_path):
    """An older partial may be the very input, or what another program still needs: also with --force."""
    for index, name in enumerate(("out.partial.mp4", "out.partial-2.mp4", "out.partial-3.mp4"), start=1):
        sink = VideoFileSink(tmp_path / "out.mp4", overwrite=True)
        for pts in range(index):
            sink.write(frame(flat((1, 2, 3)), pts))
        assert sink.keep_partial() == tmp_path / name
    lengths = [len(pictures_of(tmp_path / f"out.partial{again}.mp4")) for again in ("", "-2", "-3")]
    assert lengths == [1, 2, 3]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_size_beyond_the_encoder_is_named(tmp_path):
    sink = VideoFileSink(tmp_path / "a.mp4")
    with pytest.raises(OutputError, match=r"libx264 cannot encode 40000x2 .* try another --codec"):
        sink.write(frame(flat((1, 2, 3), 40000, 2)))
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_timecode_track_of_cameras_is_kept_once(tmp_path):
    original = write_clip(tmp_path / "in.mov", moving(30), metadata={"timecode": "10:20:30:00"}, audio_s=1)
    with av.open(str(original)) as container:
        assert [stream.type for stream in container.streams].count("data") == 1
    copy(original, tmp_path / "out.mov")
    with av.open(str(tmp_path / "out.mov")) as container:
        assert [stream.type for stream in container.streams].count("data") == 1
        assert container.streams.video[0].metadata["timecode"] == "10:20:30:00"


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match=r"folder .* does not exist"):
        VideoFileSink(tmp_path / "none" / "a.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        VideoFileSink(tmp_path / "folder.mp4")
    (tmp_path / "old.mp4").write_bytes(b"precious")
    with pytest.raises(OutputError, match="--force"):
        VideoFileSink(tmp_path / "old.mp4")
    assert (tmp_path / "old.mp4").read_bytes() == b"precious"
    with pytest.raises(OutputError, match="Cannot write into /proc"):
        VideoFileSink(Path("/proc/a.mp4"))


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from livelight.errors import OutputError
from livelight.sinks.file import VideoFileSink
from livelight.frame import Frame
from fractions import Fraction
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
noise = np.random.default_rng(0)
sink = VideoFileSink(Path(sys.argv[1]), crf=1)
try:
    for index in range(60):
        sink.write(Frame(noise.integers(0, 256, (96, 96, 3), np.uint8), index, Fraction(1, 30), 0.0))
    sink.close()
except OutputError as error:
    print(error)
    sink.abort()
    sys.exit(7)
"""


@pytest.mark.parametrize("limit", [100, 60_000, 685_000])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, limit, name):
    """The file-size limit of a process stands for a full disk: at the start, in the middle, near the end (688 kB)."""
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / name), str(limit)], capture_output=True, text=True
    )
    assert run.returncode == 7, run.stderr
    assert "failed" in run.stdout
    assert run.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("codec", "taken"), [("h264", True), ("ffv1", False)])
@pytest.mark.parametrize("width", [1280, 640])
def test_planes_of_a_gpu_are_written_where_they_are_what_the_codec_takes(tmp_path, codec, width, taken):
    """Planes of 640 columns are Rec.601, which our files are not."""
    dark, bright = (np.full((32, width, 3), level, np.uint8) for level in (40, 200))
    planes = av.VideoFrame.from_ndarray(bright, format="rgb24").reformat(format="yuv420p").to_ndarray()
    sink = VideoFileSink(tmp_path / "a.mkv", codec=codec)
    sink.write(replace(frame(dark), planes=planes))
    sink.close()
    ((_, read),) = pictures_of(tmp_path / "a.mkv")
    expected = bright if taken and width == 1280 else dark
    assert abs(float(read.mean()) - expected.mean()) < 3


def test_another_picture_has_other_planes():
    given = replace(frame(flat((1, 2, 3), 8, 8)), planes=np.zeros((12, 8), np.uint8))
    assert given.with_image(given.image.copy()).planes is None


@pytest.mark.parametrize("name", ["h264-nvenc", "hevc-nvenc", "av1-nvenc"])
def test_nvenc_is_refused_with_a_sentence_where_it_does_not_open(tmp_path, name):
    codec = CODECS[name]
    if not nvenc_fault(codec.encoder):
        pytest.skip(f"this machine has {codec.encoder}")
    with pytest.raises(SettingsError, match=rf"does not open here.*--codec {name.split('-')[0]}\.") as info:
        VideoFileSink(tmp_path / "a.mp4", codec=name)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("name", ["h264-nvenc", "hevc-nvenc", "av1-nvenc"])
def test_nvenc_knows_our_options(name):
    """FFmpeg reads an encoder's options before it looks for a driver: a false value is refused, ours are not."""
    codec = CODECS[name]
    for options, known in ((quality_options(codec, 30), True), ({"rc": "nonsense"}, False), ({"cq": "99"}, False)):
        context = av.CodecContext.create(codec.encoder, "w")
        context.width = context.height = 256
        context.pix_fmt, context.time_base, context.options = codec.pix_fmt, Fraction(1, 30), options
        try:
            context.open()
        except (av.error.ArgumentError, OverflowError):
            assert not known, options
        except OSError:
            assert known, options
        else:
            assert known, options
