"""What decodes a clip: the GPU's unit where it may and can, else the CPU."""

import pytest

from livelight.errors import SettingsError
from pipelines import clip
from pipelines.clip_settings import ClipSettings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 0),
        ({"gpu": 1}, 1),
        ({"runtime": "tensorrt-rtx"}, 0),
        ({"runtime": "openvino"}, None),
        ({"runtime": "openvino", "decoder": "nvdec"}, 0),
        ({"decoder": "cpu"}, None),
    ],
)
def test_where_the_unit_is_there(monkeypatch, settings, expected):
    monkeypatch.setattr(clip, "nvdec_fault", lambda gpu: "")
    assert clip.decoding_gpu(ClipSettings(**settings)) == expected


def test_where_it_is_not(monkeypatch):
    monkeypatch.setattr(clip, "nvdec_fault", lambda gpu: "no driver answers")
    assert clip.decoding_gpu(ClipSettings()) is None
    with pytest.raises(SettingsError, match=r"no driver answers; choose --decoder cpu\."):
        clip.decoding_gpu(ClipSettings(decoder="nvdec"))
